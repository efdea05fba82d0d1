"""The bytes of Ethernet, ARP, neighbor discovery, IP and VRRP."""
