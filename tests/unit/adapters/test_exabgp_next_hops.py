"""What ExaBGP puts into UPDATEs once our launcher has told it what to leave out."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from exabgp.bgp.message import Action
from exabgp.bgp.message.update import Update
from exabgp.protocol.family import AFI, SAFI

from orchestrator.adapters.exabgp_next_hops import keep_back_what_was_not_negotiated

EXTENDED = (AFI.ipv4, SAFI.unicast, AFI.ipv6)


def nlri(afi: Any, hop: Any, action: Any = Action.ANNOUNCE) -> Any:
    """A route of a family, with a next hop of a family."""
    return SimpleNamespace(
        afi=afi, safi=SAFI.unicast, action=action, nexthop=SimpleNamespace(afi=hop)
    )


PLAIN, CROSSED = nlri(AFI.ipv4, AFI.ipv4), nlri(AFI.ipv4, AFI.ipv6)
V6, GONE = nlri(AFI.ipv6, AFI.ipv6), nlri(AFI.ipv4, AFI.ipv6, Action.WITHDRAW)


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """UPDATEs are not encoded, but give the routes that would be in them."""

    def routes(update: Any, _negotiated: Any, _include_withdraw: bool = True) -> Iterator[Any]:
        yield from update.nlris

    monkeypatch.setattr(Update, "messages", routes)
    keep_back_what_was_not_negotiated()


@pytest.mark.usefixtures("messages")
@pytest.mark.parametrize(
    ("negotiated", "sent"),
    [((EXTENDED,), [PLAIN, CROSSED, V6, GONE]), ((), [PLAIN, V6, GONE])],
)
def test_only_what_was_negotiated_is_sent(negotiated: tuple[Any, ...], sent: list[Any]) -> None:
    """An IPv4 route with an IPv6 next hop is left out where it was not negotiated; nothing else is."""
    update = Update([PLAIN, CROSSED, V6, GONE], None)
    assert list(update.messages(SimpleNamespace(nexthop=negotiated), True)) == sent
