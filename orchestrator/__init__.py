"""Service load balancer announcer: addresses for `Service type=LoadBalancer`, announced over BGP or layer 2."""

__version__ = "0.1.0"
