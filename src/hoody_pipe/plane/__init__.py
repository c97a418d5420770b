"""Moves body bytes between descriptors; knows nothing of HTTP. Three movers, one contract (`plane/mover.py`)."""
