"""How a frame between members is proved whole, and with keys genuine (DESIGN 8.1).

Without keys: the Internet checksum in bytes 6 and 7. With keys: HMAC-SHA256 (RFC 2104) of everything
before it, which holds boot id and counter; the checksum field is zero then.
"""

from __future__ import annotations

import hmac
from enum import Enum

from orchestrator.layer2.frames.checksum import checksum

HMAC_BYTES = 32
SIGNED = 0x80
"""Flag in byte 4 of a frame that ends with a HMAC."""
_FLAGS, _CHECKSUM, _AFTER_CHECKSUM = 4, 6, 8


class SealError(Enum):
    """What is wrong with a seal."""

    CHECKSUM = "checksum"
    HMAC = "hmac"


def seal(message: bytes, keys: tuple[bytes, ...]) -> bytes:
    """Return `message` sealed; only the first of `keys` signs, so that keys can be rotated."""
    if not keys:
        total = checksum(message).to_bytes(2, "big")
        return message[:_CHECKSUM] + total + message[_AFTER_CHECKSUM:]
    flags = bytes((message[_FLAGS] | SIGNED,))
    signed = message[:_FLAGS] + flags + message[_FLAGS + 1 :]
    return signed + hmac.digest(keys[0], signed, "sha256")


def unseal(payload: bytes, keys: tuple[bytes, ...]) -> bytes | SealError:
    """Return the message; any of `keys` may have signed it.

    A node with keys takes nothing unsigned, one without takes nothing signed: if one of two
    heard the other alone, each would take the other for deaf.
    """
    signed = bool(payload[_FLAGS] & SIGNED)
    if signed != bool(keys):
        return SealError.HMAC
    if not signed:
        return payload if checksum(payload) == 0 else SealError.CHECKSUM
    message, mark = payload[:-HMAC_BYTES], payload[-HMAC_BYTES:]
    genuine = any(hmac.compare_digest(hmac.digest(key, message, "sha256"), mark) for key in keys)
    return message if genuine else SealError.HMAC
