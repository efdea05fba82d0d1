"""Layer 2 without sockets: what is on the wire, who owns what, and when to speak (DESIGN 8)."""
