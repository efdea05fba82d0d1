"""Pure decisions: what should be true, and why not where it is not."""
