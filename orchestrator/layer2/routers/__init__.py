"""Virtual routers: VRRP version 2 and 3 beside keepalived and others (DESIGN 8.2)."""
