"""Rules between objects: references, clashes, and names that belong to nothing."""
