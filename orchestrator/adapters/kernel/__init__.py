"""The kernel's network: addresses, interfaces, packet sockets, and when this process runs."""
