"""Other systems' configurations, read into objects of ours and a list of what has no place there."""
