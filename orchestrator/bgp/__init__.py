"""Sans-I/O ExaBGP: command text, events, adj-rib-out, configuration rendering."""
