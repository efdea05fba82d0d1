"""Kubernetes without sockets: lists and watches, leases, what is written back (DESIGN 9)."""
