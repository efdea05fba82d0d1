"""Names that several kinds declare."""

from __future__ import annotations

import re

from orchestrator.config.schema import ListOf, Text

INTERFACE = Text("an interface name", re.compile(r"[^\s/:\x00-\x1f]{1,15}"), 15, 1)
"""As Linux takes them (dev_valid_name), up to 15 bytes."""

INTERFACE_OR_EMPTY = Text("an interface name", re.compile(r"[^\s/:\x00-\x1f]{0,15}"), 15)
"""The same where empty text means absent."""

OBJECT_NAMES = ListOf(Text(max_length=253, min_length=1), max_items=1000, unique=True)
"""Names of objects, each once."""
