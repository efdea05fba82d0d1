"""Text and objects to policy and problems; never raises on bad input."""
