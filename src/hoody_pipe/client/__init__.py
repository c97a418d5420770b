"""The client: what talks to a server through whatever is in front of it."""
