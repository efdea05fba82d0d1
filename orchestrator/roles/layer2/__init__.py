"""The layer2 process: its loop, what it is told, and what it says."""
