"""Shared VIPs: members, claims and who owns what on each segment (DESIGN 8.1)."""
