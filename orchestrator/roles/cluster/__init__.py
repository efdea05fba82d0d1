"""What roles have to do with a whole cluster: its objects as a source, a look at all of it, objects that tell."""
