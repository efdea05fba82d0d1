"""Composition roots, one per process: build objects, run, stop in order."""
