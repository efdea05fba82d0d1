"""Sockets, files, processes, clocks and logging; the only place beside lab that touches them."""
