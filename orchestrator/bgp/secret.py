"""TCP-MD5 passwords in ExaBGP's configuration: allow-listed, or as base64 (DESIGN 5, rule 13).

The configuration file can start programs, so a password that closed its quotes could run one.
"""

from __future__ import annotations

import base64

LONGEST = 80
"""Bytes of a TCP-MD5 key that the kernel takes (TCP_MD5SIG_MAXKEYLEN)."""

FORBIDDEN = frozenset("\"'\\{};#")
"""Characters that mean something to ExaBGP's tokeniser."""


def md5_statements(password: str) -> tuple[str, ...] | None:
    """Return the statements that set `password`, or None when no key can be made of it.

    Printable ASCII stands as it is; anything else goes as base64 of its UTF-8 bytes.
    """
    try:
        key = password.encode("utf-8")
    except UnicodeEncodeError:
        return None
    if not 1 <= len(key) <= LONGEST:
        return None
    if all(" " < letter <= "~" and letter not in FORBIDDEN for letter in password):
        return (f'md5-password "{password}";', "md5-base64 false;")
    encoded = base64.b64encode(key).decode("ascii")
    return (f'md5-password "{encoded}";', "md5-base64 true;")
