"""The API server of a cluster: where it is, who we are there, and every request to it."""
