"""What is measured and what is wanted: one table, no code that runs anything."""

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["stream", "curl", "small", "waiting", "base"]
MB = 1_000_000
GB = 1_000_000_000


@dataclass(frozen=True)
class Work:
    """One line of the table. A goal that is None is not asked for."""

    name: str
    title: str
    kind: Kind
    size: int = 0  # bytes to each receiver; connections when kind is waiting
    chunk: int = 0  # 0: Content-Length
    receivers: int = 1  # pairs when kind is small
    at_least: float | None = None  # times the peer's rate
    cpu_at_most: float | None = None  # times the peer's CPU seconds per GB
    memory_at_most: float | None = None  # in the unit of the work, ours alone
    stdin: bool = False  # kind curl: the sender reads a stream, so its upload is chunked

    @property
    def unit(self) -> str:
        return {"small": "/s", "waiting": "KB each", "base": "MB"}.get(self.kind, "GB/s")

    @property
    def cpu_unit(self) -> str:
        return "µs each" if self.kind == "small" else "s/GB"


def _stream(name: str, title: str, size: int, **more: float | int) -> Work:
    return replace(Work(name, title, "stream", size), **more)  # type: ignore[arg-type]


WORKS = (
    _stream("cl", "Content-Length", 4 * GB, at_least=3.0, cpu_at_most=0.35),
    _stream("chunked-64k", "chunked, 64 KiB", 4 * GB, chunk=65536, at_least=2.5, cpu_at_most=0.35),
    _stream("chunked-16k", "chunked, 16 KiB", 2 * GB, chunk=16384, at_least=2.5),
    _stream("chunked-4k", "chunked, 4 KiB", GB, chunk=4096, at_least=2.5),
    _stream("chunked-1k", "chunked, 1 KiB", 250 * MB, chunk=1024, at_least=1.0),
    _stream("chunked-16b", "chunked, 16 B", 8 * MB, chunk=16, at_least=1.0),
    _stream("fan-4", "4 receivers, aggregate", 2 * GB, receivers=4, at_least=2.2),
    _stream("fan-16", "16 receivers, aggregate", 500 * MB, receivers=16, at_least=2.2),
    _stream("fan-64", "64 receivers, aggregate", 125 * MB, receivers=64, at_least=2.2),
    Work("curl-file", "two curls, file", "curl", 2 * GB, at_least=1.2),
    Work("curl-stdin", "two curls, stdin", "curl", 2 * GB, at_least=1.2, stdin=True),
    Work("small", "10 bytes, 16 kept pairs", "small", receivers=16, at_least=1.5),
    Work("waiting", "a waiting receiver", "waiting", 5000, memory_at_most=8.0),
    Work("base", "base memory", "base", memory_at_most=40.0),
)


def chosen(names: str | None, quick: bool) -> list[Work]:
    """The works asked for, a quarter of the size when quick.

    Raises: ValueError for a name that is not there.
    """
    wanted = names.split(",") if names else [work.name for work in WORKS]
    known = {work.name: work for work in WORKS}
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"no such work: {', '.join(unknown)}; there are {', '.join(known)}")
    return [replace(known[name], size=known[name].size // (4 if quick else 1)) for name in wanted]
