"""Reading many objects at speed: without places, as long as nothing is wrong with them."""
