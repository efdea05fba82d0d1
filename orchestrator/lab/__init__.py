"""Containerlab topology files in network namespaces."""
