"""Response heads, and the framing of what follows them (RFC 9112, sections 4 and 7.1)."""

from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from wsgiref.handlers import format_date_time

LAST_CHUNK = b"0\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EVENT_STREAM = ("Content-Type", "text/event-stream")
UNBUFFERED = ("X-Accel-Buffering", "no")  # nginx: pass on what comes, and take no more than is passed on
METRICS = ("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
JSON = ("Content-Type", "application/json")
REQUEST_SEEN = "X-Hoody-Pipe-Request"  # on the health page: how the request came, after whatever is in front
PLAIN_TEXT = ("Content-Type", "text/plain; charset=utf-8")
HTML = ("Content-Type", "text/html; charset=utf-8")

MOST_ORIGINS = 32  # whose heads are kept ready; one may be as long as a request's head

Fields = list[tuple[str, str]]


def render_head(status: int, fields: Iterable[tuple[str, str]]) -> bytes:
    """A complete response head."""
    lines = [f"HTTP/1.1 {status} {_reason(status)}"]
    lines += [f"{name}: {value}" for name, value in fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


@lru_cache(maxsize=256)
def status_line(line: str) -> bytes:
    """One status line as a chunk."""
    return chunk(line.encode("utf-8", "surrogateescape") + b"\n")


def chunk(data: bytes) -> bytes:
    """Data as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@lru_cache(maxsize=MOST_ORIGINS)
def common_fields(now: int, origin: str | None, stays: bool) -> tuple[tuple[str, str], ...]:
    """What every response says: its date (`now` in seconds after the epoch), who may read it, whether more may follow.

    No cache may keep a stream: a replay would look like a transfer (protocol B.6, B.8, J.1).
    """
    fields = [("Date", format_date_time(now)), ("Cache-Control", "no-store")]
    if origin is None or origin == "null":
        fields.append(("Access-Control-Allow-Origin", "*"))
    else:
        fields += [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Credentials", "true"),
            ("Vary", "Origin"),
        ]
    if not stays:
        fields.append(("Connection", "close"))
    return tuple(fields)


@lru_cache(maxsize=MOST_ORIGINS)
def status_head(now: int, origin: str | None, stays: bool) -> bytes:
    """The head of a stream of status lines."""
    return render_head(200, [*status_fields(now, origin, stays), ("Transfer-Encoding", "chunked")])


def status_fields(now: int, origin: str | None, stays: bool) -> Fields:
    """What a sender's stream of status lines says of itself; no proxy is to hold a line back."""
    return [*common_fields(now, origin, stays), PLAIN_TEXT, UNBUFFERED]


def data_fields(now: int, origin: str | None, stays: bool, transfer_id: str, has_extras: bool) -> Fields:
    """What a receiver's response says besides what the sender said (protocol B.6)."""
    exposed = "X-Hoody-Pipe-Transfer-Id" + (", X-Piping, X-Hoody-Pipe" if has_extras else "")
    return [
        *common_fields(now, origin, stays),
        ("X-Robots-Tag", "none"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Hoody-Pipe-Transfer-Id", transfer_id),
        ("Access-Control-Expose-Headers", exposed),
        UNBUFFERED,
    ]


def event_fields(now: int, origin: str | None, is_chunked: bool) -> Fields:
    """The head of a stream of events, the last response on its connection; no proxy is to hold one back."""
    framing = [("Transfer-Encoding", "chunked")] if is_chunked else []
    return [*common_fields(now, origin, stays=False), EVENT_STREAM, UNBUFFERED, *framing]


PIPE_HEADERS = "Content-Type, Content-Disposition, Authorization, X-Piping, X-Hoody-Pipe"
PAGE_HEADERS = "Content-Type"


def preflight_fields(methods: str, headers: str, max_age: int, private_network: bool) -> Fields:
    """The answer to a CORS preflight, which may be remembered for `max_age` seconds (protocol B.8)."""
    fields = [
        ("Access-Control-Allow-Methods", methods),
        ("Access-Control-Allow-Headers", headers),
        ("Access-Control-Max-Age", str(max_age)),
    ]
    if private_network:
        fields.append(("Access-Control-Allow-Private-Network", "true"))
    return fields


@lru_cache(maxsize=64)
def _reason(status: int) -> str:
    return HTTPStatus(status).phrase
