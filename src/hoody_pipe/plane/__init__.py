"""Moves bytes between descriptors and counts them; knows no HTTP."""
