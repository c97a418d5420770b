"""The reserved names: what the server says of itself (protocol A.1, A.3, G)."""

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hoody_pipe import __version__
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

Page = tuple[int, str, tuple[str, str]]  # status, body, Content-Type


class Pages:
    """Renders the pages; `metrics` is the text of all figures."""

    def __init__(self, metrics: Callable[[], str], limits: Limits) -> None:
        self._metrics = metrics
        self._bounds = openapi.Bounds(limits.receivers, limits.longest_wait, limits.name)
        self._started = datetime.now(UTC).isoformat(timespec="seconds")

    def render(self, path: str, connection: Connection, head: RequestHead) -> Page:
        """One page, as this client sees it."""
        if path == "/health":
            return 200, json.dumps(self._health(connection, head)) + "\n", response.JSON
        if path == "/metrics":
            return 200, self._metrics(), response.METRICS
        if path == "/openapi.json":
            document = openapi.document(__version__, url_for(head), self._bounds)
            return 200, json.dumps(document, indent=1) + "\n", response.JSON
        if path == "/robots.txt":
            return 200, ROBOTS, response.PLAIN_TEXT
        if path == "/favicon.ico":
            return 204, "", response.PLAIN_TEXT
        if path == "/noscript":
            return 501, "[ERROR] '/noscript' is not available on this server.\n", response.PLAIN_TEXT
        return 200, cheat_sheet.render(__version__, url_for(head)), response.PLAIN_TEXT

    def _health(self, connection: Connection, head: RequestHead) -> dict[str, object]:
        return {
            "status": "ok",
            "service": "hoody-pipe",
            "built": None,
            "started": self._started,
            "memory": {"rss": _resident(), "heap": None},
            "fds": len(os.listdir("/proc/self/fd")),
            "pid": os.getpid(),
            "ip": connection.peer,
            "userAgent": head.headers.get("user-agent"),
        }


def url_for(head: RequestHead) -> str:
    """Where the asker reaches the pipes: the host it named, and the scheme that a proxy in front names."""
    headers = head.headers
    host = headers.get("host", "")
    forwarded = _PROTO.search(headers.get("forwarded", ""))
    scheme = forwarded[1] if forwarded else headers.get("x-forwarded-proto", "http")
    scheme = "https" if scheme.lower() == "https" else "http"
    return f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}/api/v1/pipe"


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_SIZE
