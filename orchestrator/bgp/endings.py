"""What ended a session, in words: ExaBGP's reasons, and the codes of NOTIFICATIONs (RFC 4271, 4.5)."""

from __future__ import annotations

import re

_NOTIFICATION = re.compile(r"notification (sent|received) \((\d+),(\d+)\)")
_CODES = {
    1: "message header error",
    2: "OPEN message error",
    3: "UPDATE message error",
    4: "hold timer expired",
    5: "finite state machine error",
    6: "cease",
}
_SUBCODES = {
    (2, 1): "unsupported version number",
    (2, 2): "bad peer AS",
    (2, 3): "bad BGP identifier",
    (2, 4): "unsupported optional parameter",
    (2, 6): "unacceptable hold time",
    (2, 7): "unsupported capability",
    (6, 1): "maximum number of prefixes reached",
    (6, 2): "administrative shutdown",
    (6, 3): "peer de-configured",
    (6, 4): "administrative reset",
    (6, 5): "connection rejected",
    (6, 6): "other configuration change",
    (6, 7): "connection collision resolution",
    (6, 8): "out of resources",
    (6, 9): "hard reset",
    (6, 10): "BFD down",
}
"""RFC 4271 6.2, RFC 5492 (capability), RFC 4486 and after it RFC 8538 and 9384 (cease)."""
_ADVICE = {
    ("sent", 2, 2): "the router is in another AS than the peerASN of this BGPPeer",
    ("received", 2, 2): "the router expects us in another AS than the myASN of this BGPPeer",
    ("received", 6, 2): "an operator of the router shut the session down",
    ("received", 6, 3): "the router does not know us as a neighbor any more",
    ("received", 6, 5): "the router does not know us as a neighbor, or not at this address",
}
_NO_CONNECTION = "closing connection"


def words(reason: str) -> str:
    """Return what ExaBGP's `reason` of a `down` means; an unknown one as it is."""
    if reason == _NO_CONNECTION:
        return "no TCP connection: nothing answers at the peer's address and port, or it was closed"
    found = _NOTIFICATION.fullmatch(reason)
    if found is None:
        return reason
    way, code, subcode = found[1], int(found[2]), int(found[3])
    name = _SUBCODES.get((code, subcode)) or _CODES.get(code)
    if name is None:
        return reason
    advice = _ADVICE.get((way, code, subcode))
    return f"{name}{f': {advice}' if advice else ''} (notification {way}: {code}/{subcode})"
