"""Sans-I/O health checks with rise and fall."""
