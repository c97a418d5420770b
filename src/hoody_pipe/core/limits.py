"""The numbers that bound what clients may ask (protocol H, Z.10)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on requests; counts are of pipes, times are seconds, lengths are characters."""

    waiting: int = 10_000
    active: int = 10_000
    receivers: int = 256
    wait: int = 300
    longest_wait: int = 3600
    name: int = 1024
    extra_header: int = 8192
    filename: int = 255
