"""Response heads, and the framing of what follows them (RFC 9112, sections 4 and 7.1)."""

from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from wsgiref.handlers import format_date_time

LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PLAIN_TEXT = ("Content-Type", "text/plain; charset=utf-8")

Fields = list[tuple[str, str]]


def render_head(status: int, fields: Iterable[tuple[str, str]]) -> bytes:
    """A complete response head."""
    lines = [f"HTTP/1.1 {status} {_reason(status)}"]
    lines += [f"{name}: {value}" for name, value in fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def chunk(data: bytes) -> bytes:
    """One chunk around `data`, which must not be empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def cors_fields(origin: str | None) -> Fields:
    """What lets a page of `origin` read the response (protocol B.6, B.8)."""
    if origin is None or origin == "null":
        return [("Access-Control-Allow-Origin", "*")]
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    ]


def preflight_fields(methods: str, origin: str | None, private_network: bool) -> Fields:
    """The answer to a CORS preflight (protocol B.8)."""
    fields = [
        *cors_fields(origin),
        ("Access-Control-Allow-Methods", methods),
        (
            "Access-Control-Allow-Headers",
            "Content-Type, Content-Disposition, Authorization, X-Piping, X-Hoody-Pipe",
        ),
        ("Access-Control-Max-Age", "86400"),
    ]
    if private_network:
        fields.append(("Access-Control-Allow-Private-Network", "true"))
    return fields


@lru_cache(maxsize=1)
def http_date(seconds: int) -> str:
    """The Date of a response sent `seconds` after the epoch (RFC 9110, section 6.6.1)."""
    return format_date_time(seconds)


@lru_cache(maxsize=64)
def _reason(status: int) -> str:
    return HTTPStatus(status).phrase
