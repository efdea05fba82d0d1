"""The kinds that are read, one declaration each."""
