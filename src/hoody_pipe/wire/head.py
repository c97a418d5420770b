"""Request heads (RFC 9112, sections 2 to 6), read strictly (protocol Z.6).

A head must match one grammar as a whole before httptools takes it apart: what a lenient reader would repair is how
requests are smuggled past proxies, so here it is refused.
"""

import re
from dataclasses import dataclass, field

import httptools

from hoody_pipe.errors import Refused

LONGEST = 32 * 1024  # bytes

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_FIELD = _TOKEN + rb":[\t\x20-\x7e\x80-\xff]*\r\n"
_HEAD = re.compile(rb"(%b) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])\r\n(?:%b)*\r\n" % (_TOKEN, _FIELD))
_LENGTH = re.compile(r"[0-9]{1,19}", re.ASCII)
_HOST = re.compile(r"(\[[0-9A-Za-z:.%_~\-]+\]|[0-9A-Za-z\-._~%!$&'()*+,;=]*)(:[0-9]*)?", re.ASCII)
_SINGLE = frozenset({"host", "content-length", "transfer-encoding"})

# no head holds such a byte, so the first one decides, however much of the head has come
_IMPOSSIBLE = re.compile(rb"[\x00-\x08\n-\x1f\x7f](?:(?<=\n)(?<!\r\n)|(?<=\r)(?=[^\n])|(?<=[^\r\n]))")
_IMPOSSIBLE_IS = {
    b"\n": "a line must end with CR LF",
    b"\r": "a carriage return must be followed by a line feed",
}

# the first of these that is found names what else is wrong with a head that does not match the grammar
_FAULTS = (
    (
        re.compile(rb"\A%b [\x21-\x7e\x80-\xff]+ HTTP/[^\r]*\r\n(?<!HTTP/1\.[01]\r\n)" % _TOKEN),
        "only HTTP/1.0 and HTTP/1.1 are spoken here",
    ),
    (re.compile(rb"\A(?!%b [\x21-\x7e\x80-\xff]+ HTTP/1\.[01]\r\n)" % _TOKEN), "the request line is malformed"),
    (re.compile(rb"\r\n[ \t]"), "a folded header line is not allowed"),
    (re.compile(rb"\r\n[^:\r]*[ \t]:"), "no space is allowed before the colon of a header"),
)


@dataclass(slots=True)
class RequestHead:
    """One request head.

    `raw` is how it came; `size` is its length on the wire in bytes; `length` that of the body, None when it is chunked;
    `headers` have lower-case names and Latin-1 values, the first of repeated ones.
    """

    method: str
    target: str
    minor: int
    size: int
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = 0
    keep_alive: bool = False
    expects_continue: bool = False
    raw: bytes = b""

    @property
    def has_body(self) -> bool:
        """Whether body bytes follow the head."""
        return self.length != 0


def find_end(data: bytes, seen: int = 0) -> int:
    """The size of the complete request head at the start of `data`, or 0 if more bytes are needed.

    In the first `seen` bytes there was no end when they came. The answer does not depend on how the head is cut.

    Raises:
        Refused: 431 when it is too long, 400 when it can no longer become valid.
    """
    end = data.find(b"\r\n\r\n", max(seen - 3, 2 if data.startswith(b"\r\n") else 0))
    if 0 <= end <= LONGEST - 4:
        return end + 4
    _refuse_impossible(data[: LONGEST + 1], seen)
    if len(data) > LONGEST:
        raise Refused(431, f"[ERROR] Request head too large (max {LONGEST // 1024} KiB).")
    return 0


def _refuse_impossible(data: bytes, seen: int = 0) -> None:
    if data.startswith(b"\r\n\r"):
        raise _bad("only one empty line may come before a request")
    found = _IMPOSSIBLE.search(data, max(0, seen - 1))
    if found is not None:
        raise _bad(_IMPOSSIBLE_IS.get(found[0], "control characters are not allowed"))


def parse(data: bytes) -> RequestHead:
    """Read one complete head, as `find_end` measured it; one empty line before it is skipped (RFC 9112, 2.2).

    Raises:
        Refused: 400, 411 or 417.
    """
    raw = data[2:] if data.startswith(b"\r\n") else data
    found = _HEAD.fullmatch(raw)
    if found is None:
        _refuse_impossible(data)
        raise _bad(next((fault for pattern, fault in _FAULTS if pattern.search(raw)), "a header line is malformed"))
    method = found[1].decode("ascii")
    target = found[2].decode("utf-8", "surrogateescape")
    if not target.startswith("/") or "#" in target:
        raise _bad("the request target must be a path")
    if not found[2].isascii():  # curl sends the bytes of a name as they were typed, httptools takes none above 127
        raw = raw[: found.start(2)] + b"/" + raw[found.end(2) :]
    head = RequestHead(method, target, int(found[3]), len(data), raw=data)
    try:
        httptools.HttpRequestParser(_Collector(head.headers)).feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError:
        if method in ("GET", "PUT", "POST", "HEAD", "OPTIONS"):
            raise _bad("Content-Length and Transfer-Encoding must be valid, and only one of them given") from None
        head.length = None  # a method that no parser knows: whatever follows is not read
        return head
    _read_framing(head)
    return head


class _Collector:
    """Takes header fields from httptools; refuses repeats of those that frame or route a message."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode("ascii").lower()
        if key not in self._headers:
            self._headers[key] = value.decode("latin-1").strip(" \t")
        elif key in _SINGLE:
            self._headers[key] += "\n"  # no valid value holds a line end: the checks below refuse it
        elif key == "connection":
            self._headers[key] += ", " + value.decode("latin-1")


def _read_framing(head: RequestHead) -> None:
    headers = head.headers
    host = headers.get("host")
    if (host is None and head.minor == 1) or (host is not None and "\n" in host):
        raise _bad("exactly one Host header is needed")
    if host is not None and not _HOST.fullmatch(host):
        raise _bad("the Host header must name a host")
    connection = headers.get("connection", "").lower()
    head.keep_alive = head.minor == 1 and "close" not in connection
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or head.minor == 0:
            raise _bad("the only Transfer-Encoding is chunked, over HTTP/1.1")
        head.length = None
    elif length is not None:
        if not _LENGTH.fullmatch(length):
            raise _bad("Content-Length must be one number of 1 to 19 digits")
        head.length = int(length)
    elif head.minor == 0 and head.method in ("PUT", "POST"):
        raise Refused(411, "[ERROR] An HTTP/1.0 sender needs a Content-Length.")
    _read_expectation(head)


def _read_expectation(head: RequestHead) -> None:
    expectation = head.headers.get("expect")
    if expectation is None or head.minor == 0:
        return
    if expectation.lower() != "100-continue":
        raise Refused(417, "[ERROR] The only expectation that can be met is 100-continue.")
    head.expects_continue = True


def _bad(problem: str) -> Refused:
    return Refused(400, f"[ERROR] Bad request — {problem}.")
