"""What ended a session is said in the words of the standards, with what an operator can do about it."""

from __future__ import annotations

import pytest

from orchestrator.bgp.endings import words


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "notification sent (2,2)",
            "bad peer AS: the router is in another AS than the peerASN of this BGPPeer (notification sent: 2/2)",
        ),
        (
            "notification received (2,2)",
            "bad peer AS: the router expects us in another AS than the myASN of this BGPPeer (notification received: 2/2)",
        ),
        ("notification sent (4,0)", "hold timer expired (notification sent: 4/0)"),
        (
            "notification received (6,4)",
            "administrative reset (notification received: 6/4)",
        ),
        ("notification sent (2,99)", "OPEN message error (notification sent: 2/99)"),
        ("notification received (99,1)", "notification received (99,1)"),
        ("stop", "stop"),
        ("", ""),
    ],
)
def test_reasons_of_exabgp(reason: str, said: str) -> None:
    """Codes have names, the usual ones advice; what is not known stays as it came."""
    assert words(reason) == said


def test_no_connection() -> None:
    """ExaBGP says the same of a connection that was refused, timed out or closed: so does this."""
    assert words("closing connection").startswith("no TCP connection: nothing answers")
