"""The controller: gives addresses to Services, writes them, and leads when it holds the Lease (DESIGN 9)."""
