"""Answering and announcing an address on one port, whoever decided to own it (DESIGN 8.3)."""
