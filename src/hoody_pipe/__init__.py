"""Hoody Pipe: an HTTP server on which a named path is a pipe."""

__version__ = "0.1.0"
