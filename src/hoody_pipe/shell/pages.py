"""The reserved names: what the server says of itself (protocol A.1, A.3, G)."""

import contextlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hoody_pipe import __version__
from hoody_pipe.core.admission import is_proxied
from hoody_pipe.core.limits import Limits
from hoody_pipe.pages import help as cheat_sheet
from hoody_pipe.pages import openapi
from hoody_pipe.shell.connection import Connection
from hoody_pipe.wire import response
from hoody_pipe.wire.head import RequestHead

ROBOTS = "User-agent: *\nDisallow: /\n"
_HOST = re.compile(r"[A-Za-z0-9.\-_]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_PROTO = re.compile(r'(?:^|[;,\s])proto="?(https?)"?(?:$|[;,\s])', re.IGNORECASE)
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Page:
    """What answers a request for a page; `fields` besides those that every response has."""

    text: str
    content_type: tuple[str, str] = response.PLAIN_TEXT
    status: int = 200
    fields: response.Fields = field(default_factory=list)


class Pages:
    """Renders the pages; `metrics` is the text of all figures."""

    def __init__(self, metrics: Callable[[], str], limits: Limits) -> None:
        self._metrics = metrics
        self._bounds = openapi.Bounds(limits.receivers, limits.longest_wait, limits.name)
        self._started = datetime.now(UTC).isoformat(timespec="seconds")

    def render(self, path: str, connection: Connection, head: RequestHead) -> Page:
        """One page, as this client sees it."""
        if path == "/health":
            text = json.dumps(self._health(connection, head)) + "\n"
            return Page(text, response.JSON, fields=[(response.REQUEST_SEEN, seen_of(head))])
        if path == "/metrics":
            return Page(self._metrics(), response.METRICS)
        if path == "/openapi.json":
            document = openapi.document(__version__, url_for(head), self._bounds)
            return Page(json.dumps(document, indent=1) + "\n", response.JSON)
        if path == "/robots.txt":
            return Page(ROBOTS)
        if path == "/favicon.ico":
            return Page("", status=204)
        if path == "/noscript":
            return Page("[ERROR] '/noscript' is not available on this server.\n", status=501)
        return Page(cheat_sheet.render(__version__, url_for(head)))

    def _health(self, connection: Connection, head: RequestHead) -> dict[str, object]:
        return {
            "status": "ok",
            "service": "hoody-pipe",
            "built": None,
            "started": self._started,
            "memory": _memory(),
            "fds": _descriptors(),
            "pid": os.getpid(),
            "ip": connection.peer,
            "userAgent": head.headers.get("user-agent"),
        }


def seen_of(head: RequestHead) -> str:
    """How a request came here: in which version, and whether a proxy says that it passed it on."""
    return f"HTTP/1.{head.minor}; {'proxied' if is_proxied(head.headers) else 'direct'}"


def url_for(head: RequestHead) -> str:
    """Where the asker reaches the pipes: the host it named, and the scheme that a proxy in front names."""
    headers = head.headers
    host = headers.get("host", "")
    forwarded = _PROTO.search(headers.get("forwarded", ""))
    scheme = forwarded[1] if forwarded else headers.get("x-forwarded-proto", "http")
    scheme = "https" if scheme.lower() == "https" else "http"
    return f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}/api/v1/pipe"


def _memory() -> dict[str, int | None] | None:
    """None when there is no descriptor left to look with."""
    with contextlib.suppress(OSError):
        return {"rss": int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_SIZE, "heap": None}
    return None


def _descriptors() -> int | None:
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/fd"))
    return None
