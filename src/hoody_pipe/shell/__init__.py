"""Connects: sockets, readiness and time on one side, the core's decisions on the other."""
