"""Reads and writes HTTP/1.x bytes (RFC 9112). Pure; no socket."""
