"""Decides: events in, actions out. Pure; no clock, no socket, no byte of a body."""
