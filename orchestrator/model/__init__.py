"""Nouns of the field as frozen values; imports nothing but the standard library."""
