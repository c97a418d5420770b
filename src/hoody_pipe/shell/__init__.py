"""Connects: sockets, readiness and time in; what the core decided out."""
