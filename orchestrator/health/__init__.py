"""Health of virtual IPs, without input or output: rise, fall, intervals, disable files."""
