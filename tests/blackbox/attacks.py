"""Requests that smuggle, desynchronise or break: what an attacker sends, and what it may get for it.

In every one `{name}` is the pipe that it pretends to use and `{other}` the one that it wants to reach unseen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SMUGGLED = b"GET /{other} HTTP/1.1\r\nHost: a\r\n\r\n"

BAD = "[ERROR] Bad request — "
LINE_FEED = BAD + "a line must end with CR LF."
CARRIAGE_RETURN = BAD + "a carriage return must be followed by a line feed."
CONTROL = BAD + "control characters are not allowed."
REQUEST_LINE = BAD + "the request line is malformed."
VERSION = BAD + "only HTTP/1.0 and HTTP/1.1 are spoken here."
TARGET = BAD + "the request target must be a path."
FIELD = BAD + "a header line is malformed."
FOLDED = BAD + "a folded header line is not allowed."
COLON = BAD + "no space is allowed before the colon of a header."
ONE_HOST = BAD + "exactly one Host header is needed."
HOST = BAD + "the Host header must name a host."
FRAMING = BAD + "Content-Length and Transfer-Encoding must be valid, and only one of them given."
CODING = BAD + "the only Transfer-Encoding is chunked, over HTTP/1.1."
LENGTH = BAD + "Content-Length must be one number of 1 to 19 digits."
NO_BODY = BAD + "a body is only taken by PUT and POST."
EMPTY_LINES = BAD + "only one empty line may come before a request."
TOO_LARGE = "[ERROR] Request head too large (max 32 KiB)."
EXPECTATION = "[ERROR] The only expectation that can be met is 100-continue."


@dataclass(frozen=True)
class Attack:
    """Bytes to send, and the one answer to them, after which the connection ends."""

    data: bytes
    line: str
    status: int = 400

    def aimed(self, name: str, other: str) -> bytes:
        """The bytes with both names in them."""
        return aim(self.data, name, other)


def aim(data: bytes, name: str, other: str) -> bytes:
    """Put both names in."""
    return data.replace(b"{name}", name.encode()).replace(b"{other}", other.encode())


def put(*fields: bytes, body: bytes = b"0\r\n\r\n", minor: int = 1) -> bytes:
    """A sender with these fields; its body may be read in two ways, and a request is hidden behind it."""
    head = b"PUT /{name} HTTP/1.%d\r\nHost: a\r\n" % minor + b"".join(field + b"\r\n" for field in fields)
    return head + b"\r\n" + body + SMUGGLED


def get(line: bytes = b"GET /{name} HTTP/1.1", *fields: bytes, host: bytes | None = b"a") -> bytes:
    """A request without a body, and one more behind it."""
    named = () if host is None else (b"Host: " + host,)
    return b"\r\n".join([line, *named, *fields, b"", b""]) + SMUGGLED


CHUNKED = b"Transfer-Encoding: chunked"

# One length read in front, another behind: CL.TE, TE.CL, TE.TE, CL.CL
FRAMINGS = {
    "CL.TE": Attack(put(b"Content-Length: 5", CHUNKED), FRAMING),
    "TE.CL": Attack(put(CHUNKED, b"Content-Length: 5"), FRAMING),
    "TE.CL of nothing": Attack(put(CHUNKED, b"Content-Length: 0"), FRAMING),
    "TE twice": Attack(put(CHUNKED, CHUNKED), FRAMING),
    "TE then another": Attack(put(CHUNKED, b"Transfer-Encoding: identity"), FRAMING),
    "another then TE": Attack(put(b"Transfer-Encoding: cow", CHUNKED), CODING),
    "CL twice": Attack(put(b"Content-Length: 5", b"Content-Length: 5"), FRAMING),
    "CL.CL": Attack(put(b"Content-Length: 5", b"Content-Length: 0"), FRAMING),
    "CL.CL in another case": Attack(put(b"Content-Length: 5", b"CONTENT-LENGTH: 0"), FRAMING),
    "TE over HTTP/1.0": Attack(put(CHUNKED, minor=0), CODING),
    "TE and CL over HTTP/1.0": Attack(put(CHUNKED, b"Content-Length: 5", minor=0), FRAMING),
}

# Each value is read as chunked by somebody, and not by somebody else.
CODINGS = {
    value: Attack(put(b"Transfer-Encoding:" + value, b"Content-Length: 5"), line)
    for value, line in {
        b" xchunked": FRAMING,
        b" chunkedx": FRAMING,
        b" chunked, identity": FRAMING,
        b" identity, chunked": FRAMING,
        b" chunked, chunked": FRAMING,
        b" gzip, chunked": FRAMING,
        b" chunked;q=1": FRAMING,
        b' "chunked"': FRAMING,
        b" chunked,": FRAMING,
        b" ,chunked": FRAMING,
        b" identity": FRAMING,
        b" chun ked": FRAMING,
        b"": FRAMING,
        b"\tchunked": FRAMING,
        b" chunked\t ": FRAMING,
        b" CHUNKED": FRAMING,
        b" \x0bchunked": CONTROL,
        b" chunked\x0b": CONTROL,
        b" chunked\x0c": CONTROL,
        b" chunked\x00": CONTROL,
        b" chunked\x7f": CONTROL,
        b" chunked\x85": FRAMING,
        b" \xa0chunked": FRAMING,
        b"\r\n chunked": FOLDED,
        b"\r\n\tchunked": FOLDED,
        b" chunked\r": CARRIAGE_RETURN,
        b" chunked\n": LINE_FEED,
        b" chu\rnked": CARRIAGE_RETURN,
    }.items()
}
CODINGS_ALONE = {
    value: Attack(put(b"Transfer-Encoding:" + value), line)
    for value, line in {
        b" xchunked": FRAMING,
        b" chunked, identity": FRAMING,
        b" identity, chunked": CODING,
        b" chunked, chunked": FRAMING,
        b" gzip, chunked": CODING,
        b" identity": FRAMING,
        b"": FRAMING,
        b" ,chunked": CODING,
        b" chunked\xa0": FRAMING,
        b" chunked\t": FRAMING,
        b" chunked\x0b": CONTROL,
    }.items()
}

# A Transfer-Encoding that one side takes for a field, and the other for part of something else
HIDDEN_FIELDS = {
    field: Attack(put(field, b"Content-Length: 5"), line)
    for field, line in {
        b"Transfer-Encoding : chunked": COLON,
        b"Transfer-Encoding\t: chunked": COLON,
        b" Transfer-Encoding: chunked": FOLDED,
        b"\tTransfer-Encoding: chunked": FOLDED,
        b"Transfer-Encoding\r\n : chunked": FOLDED,
        b"X: y\nTransfer-Encoding: chunked": LINE_FEED,
        b"X: y\rTransfer-Encoding: chunked": CARRIAGE_RETURN,
        b"X: y\r\rTransfer-Encoding: chunked": CARRIAGE_RETURN,
        b"X: y\n\rTransfer-Encoding: chunked": LINE_FEED,
        b"X: y\x00Transfer-Encoding: chunked": CONTROL,
        b"\x00Transfer-Encoding: chunked": CONTROL,
        b"Transfer-Encoding\x00: chunked": CONTROL,
        b"Transfer-Encoding\x0b: chunked": CONTROL,
        b"Transfer Encoding: chunked": FIELD,
        b"Transfer-Encoding chunked": FIELD,
        b"Transfer-Encoding; chunked": FIELD,
        b"Transfer-Encoding\xa0: chunked": FIELD,
        b"(Transfer-Encoding): chunked": FIELD,
        b": chunked": FIELD,
        b"X": FIELD,
    }.items()
}

LENGTHS = {
    value: Attack(put(b"Content-Length:" + value), line)
    for value, line in {
        b" +5": FRAMING,
        b" -5": FRAMING,
        b" -0": FRAMING,
        b" 0x5": FRAMING,
        b" 5, 5": FRAMING,
        b" 5,5": FRAMING,
        b" 5;": FRAMING,
        b" 5 5": FRAMING,
        b" 5 0": FRAMING,
        b" 5.0": FRAMING,
        b" 1e1": FRAMING,
        b" 5_0": FRAMING,
        b' "5"': FRAMING,
        b" five": FRAMING,
        b"": FRAMING,
        b" ": FRAMING,
        b" \xd9\xa5": FRAMING,  # five in Arabic
        b" \xef\xbc\x95": FRAMING,  # five in full width
        b" \xb2": FRAMING,  # a digit, says str.isdigit
        b" 5\x0b": CONTROL,
        b" 5\x00": CONTROL,
        b"\r\n 5": FOLDED,
        b" 5\n": LINE_FEED,
        b" 18446744073709551621": FRAMING,  # 5, if 64 bits overflow
        b" 4294967301" + b"0" * 10: FRAMING,
        b" 00000000000000000005": LENGTH,
        b" 10000000000000000000": LENGTH,
    }.items()
}
LENGTH_FIELDS = {
    field: Attack(put(field), line)
    for field, line in {
        b"Content-Length : 5": COLON,
        b" Content-Length: 5": FOLDED,
        b"X: y\nContent-Length: 5": LINE_FEED,
        b"Content-Length\x00: 5": CONTROL,
        b"Content Length: 5": FIELD,
    }.items()
}

# A body where none is expected: CL.0, 0.CL, and what is refused before its body is read
BODIES = {
    "GET with a length": Attack(get(b"GET /help HTTP/1.1", b"Content-Length: 38"), NO_BODY),
    "GET in chunks": Attack(get(b"GET /{name} HTTP/1.1", CHUNKED), NO_BODY),
    "GET in chunks and with a length": Attack(get(b"GET /help HTTP/1.1", CHUNKED, b"Content-Length: 0"), FRAMING),
    "HEAD": Attack(get(b"GET /{name}?status HTTP/1.1", b"Content-Length: 38"), NO_BODY),
    "OPTIONS": Attack(get(b"OPTIONS /{name} HTTP/1.1", b"Content-Length: 38"), NO_BODY),
    "a reserved name": Attack(
        get(b"POST /help HTTP/1.1", b"Content-Length: 38"),
        "[ERROR] '/help' is a reserved path. Use a custom path like '/myfile' or '/transfer123'.",
    ),
    "a name that cannot be": Attack(
        get(b"PUT /{name}%00 HTTP/1.1", CHUNKED), "[ERROR] Invalid path — control characters are not allowed."
    ),
    "DELETE": Attack(
        get(b"DELETE /{name} HTTP/1.1", b"Content-Length: 38"),
        "[ERROR] Method DELETE is not allowed. Use GET, POST, or PUT.",
        405,
    ),
    "a method that no parser knows": Attack(
        get(b"BREW /{name} HTTP/1.1", CHUNKED), "[ERROR] Method BREW is not allowed. Use GET, POST, or PUT.", 405
    ),
    "a method in small letters": Attack(
        get(b"put /{name} HTTP/1.1", b"Content-Length: 38"),
        "[ERROR] Method put is not allowed. Use GET, POST, or PUT.",
        405,
    ),
    "an expectation": Attack(put(b"Expect: 200-ok", b"Content-Length: 5"), EXPECTATION, 417),
    "two expectations": Attack(put(b"Expect: 100-continue, x", b"Content-Length: 5"), EXPECTATION, 417),
    "HTTP/1.0 without a length": Attack(put(minor=0), "[ERROR] An HTTP/1.0 sender needs a Content-Length.", 411),
    "a form without a boundary": Attack(
        put(b"Content-Type: multipart/form-data", CHUNKED),
        "[ERROR] Invalid multipart/form-data — a boundary of 1 to 70 characters is needed.",
    ),
}

REQUEST_LINES = {
    line: Attack(get(line), wrong)
    for line, wrong in {
        b"GET  /{name} HTTP/1.1": REQUEST_LINE,
        b"GET /{name}  HTTP/1.1": REQUEST_LINE,
        b"GET\t/{name} HTTP/1.1": REQUEST_LINE,
        b"GET /{name}\tHTTP/1.1": REQUEST_LINE,
        b" GET /{name} HTTP/1.1": REQUEST_LINE,
        b"GET /{name} HTTP/1.1 ": VERSION,
        b"GET /{name} x HTTP/1.1": REQUEST_LINE,
        b"GET HTTP/1.1": REQUEST_LINE,
        b"GET  HTTP/1.1": REQUEST_LINE,
        b"GET": REQUEST_LINE,
        b"/{name} HTTP/1.1": REQUEST_LINE,
        b"G\xc3\x89T /{name} HTTP/1.1": REQUEST_LINE,
        b"G{T /{name} HTTP/1.1": REQUEST_LINE,
        b"GET: /{name} HTTP/1.1": REQUEST_LINE,
        b"GET /{name}": REQUEST_LINE,  # HTTP/0.9
        b"GET /{name} HTTP/0.9": VERSION,
        b"GET /{name} HTTP/1": VERSION,
        b"GET /{name} HTTP/1.": VERSION,
        b"GET /{name} HTTP/1.2": VERSION,
        b"GET /{name} HTTP/1.10": VERSION,
        b"GET /{name} HTTP/01.1": VERSION,
        b"GET /{name} HTTP/11.1": VERSION,
        b"GET /{name} HTTP/2.0": VERSION,
        b"GET /{name} HTTP/3": VERSION,
        b"GET /{name} http/1.1": REQUEST_LINE,
        b"GET /{name} HTTPS/1.1": REQUEST_LINE,
        b"GET /{name} ICE/1.0": REQUEST_LINE,
        b"GET /{name} RTSP/1.0": REQUEST_LINE,
        b"GET /{name}\x00 HTTP/1.1": CONTROL,
        b"GET /{name}\x0b HTTP/1.1": CONTROL,
        b"GET /{name}\x7f HTTP/1.1": CONTROL,
        b"GET /{name}\rx HTTP/1.1": CARRIAGE_RETURN,
        b"GET /{name}\n HTTP/1.1": LINE_FEED,
        b"\x16\x03\x01\x02\x00\x01": CONTROL,  # TLS
        b"\x00": CONTROL,
        b"\xff\xfe": REQUEST_LINE,
        b"SSH-2.0-OpenSSH_9.2": REQUEST_LINE,
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2": REQUEST_LINE,
        b"GET http://a/{name} HTTP/1.1": TARGET,
        b"GET https://a/{name} HTTP/1.1": TARGET,
        b"GET a:80 HTTP/1.1": TARGET,
        b"CONNECT a:80 HTTP/1.1": TARGET,
        b"OPTIONS * HTTP/1.1": TARGET,
        b"GET * HTTP/1.1": TARGET,
        b"GET {name} HTTP/1.1": TARGET,
        b"GET ?{name} HTTP/1.1": TARGET,
        b"GET @a/{name} HTTP/1.1": TARGET,
        b"GET \\{name} HTTP/1.1": TARGET,
        b"GET /help#/{name} HTTP/1.1": TARGET,
        b"GET /help?x#y HTTP/1.1": TARGET,
    }.items()
}

HOSTS = {
    "none": Attack(get(host=None), ONE_HOST),
    "two": Attack(get(b"GET /{name} HTTP/1.1", b"Host: a"), ONE_HOST),
    "two, differing": Attack(get(b"GET /{name} HTTP/1.1", b"Host: b"), ONE_HOST),
    "two in other cases": Attack(get(b"GET /{name} HTTP/1.1", b"hOST: b"), ONE_HOST),
    "two over HTTP/1.0": Attack(get(b"GET /{name} HTTP/1.0", b"Host: b"), ONE_HOST),
    "a list": Attack(get(host=b"a, b"), HOST),
    "a blank in it": Attack(get(host=b"a b"), HOST),
    "a user in it": Attack(get(host=b"a@b"), HOST),
    "a path": Attack(get(host=b"a/b"), HOST),
    "a URL": Attack(get(host=b"http://a"), HOST),
    "a query": Attack(get(host=b"a?b"), HOST),
    "a port of letters": Attack(get(host=b"a:b"), HOST),
    "two ports": Attack(get(host=b"a:80:80"), HOST),
    "an open bracket": Attack(get(host=b"[::1"), HOST),
    "bytes": Attack(get(host=b"\xc3\xa9"), HOST),
    "HTML": Attack(get(host=b"<b>"), HOST),
    "a NUL in it": Attack(get(host=b"a\x00b"), CONTROL),
    "folded": Attack(get(host=b"a\r\n b"), FOLDED),
    "before its colon a blank": Attack(get(b"GET /{name} HTTP/1.1", b"Host : a", host=None), COLON),
}

FIELDS = {
    field: Attack(get(b"GET /{name} HTTP/1.1", field), line)
    for field, line in {
        b"X: a\x00b": CONTROL,
        b"X: a\x01b": CONTROL,
        b"X: a\x08b": CONTROL,
        b"X: a\x1bb": CONTROL,
        b"X: a\x7fb": CONTROL,
        b"X\x00: a": CONTROL,
        b"X\x7f: a": CONTROL,
        b"X: a\rb": CARRIAGE_RETURN,
        b"X: a\nb": LINE_FEED,
        b"X: a\n": LINE_FEED,
        b"X: a\r\n b": FOLDED,
        b"X: a\r\n\tb": FOLDED,
        b"X: a\r\n ": FOLDED,
        b" X: a": FOLDED,
        b"X : a": COLON,
        b"X Y: a": FIELD,
        b"X\xe9: a": FIELD,
        b'"X": a': FIELD,
        b"X/Y: a": FIELD,
        b"X": FIELD,
        b":": FIELD,
        b": a": FIELD,
        b" : a": FOLDED,
    }.items()
}

HEADS = {
    "the preface of HTTP/2": Attack(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION),
    "two empty lines before it": Attack(b"\r\n\r\n" + get(), EMPTY_LINES),
    "many empty lines": Attack(b"\r\n" * 50 + get(), EMPTY_LINES),
    "an empty line that is a line feed": Attack(b"\n" + get(), LINE_FEED),
    "line feeds alone": Attack(b"GET /{name} HTTP/1.1\nHost: a\n\n" + SMUGGLED, LINE_FEED),
    "a line feed at its end": Attack(b"GET /{name} HTTP/1.1\r\nHost: a\r\n\n" + SMUGGLED, LINE_FEED),
    "carriage returns alone": Attack(b"GET /{name} HTTP/1.1\rHost: a\r\r" + SMUGGLED, CARRIAGE_RETURN),
    "CR CR LF": Attack(b"GET /{name} HTTP/1.1\r\r\nHost: a\r\n\r\n" + SMUGGLED, CARRIAGE_RETURN),
    "one long line": Attack(b"GET /{name} HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40_000, TOO_LARGE, 431),
    "one long line, ended": Attack(get(b"GET /{name} HTTP/1.1", b"X: " + b"x" * 33_000), TOO_LARGE, 431),
    "one long target": Attack(b"GET /" + b"x" * 40_000, TOO_LARGE, 431),
    "one long method": Attack(b"G" * 40_000, TOO_LARGE, 431),
    "many lines": Attack(b"GET /{name} HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 7_000, TOO_LARGE, 431),
    "many lines without a name": Attack(b"GET /{name} HTTP/1.1\r\nHost: a\r\n" + b"x\r\n" * 12_000, TOO_LARGE, 431),
    "a line of blanks": Attack(get(b"GET /{name} HTTP/1.1", b"x" + b" " * 32_000), FIELD),
}

_TABLES: dict[str, Mapping[Any, Attack]] = {
    "framing": FRAMINGS,
    "coding": CODINGS,
    "coding alone": CODINGS_ALONE,
    "hidden": HIDDEN_FIELDS,
    "length": LENGTHS,
    "length field": LENGTH_FIELDS,
    "body": BODIES,
    "request line": REQUEST_LINES,
    "host": HOSTS,
    "field": FIELDS,
    "head": HEADS,
}
REFUSED = {f"{kind}: {key!r}": attack for kind, table in _TABLES.items() for key, attack in table.items()}

# Bodies in chunks that break off: what a receiver may have of them by then
BROKEN_CHUNKS: dict[bytes, bytes] = {
    b"0x5\r\nhello\r\n": b"",
    b"+5\r\nhello\r\n": b"",
    b"-5\r\nhello\r\n": b"",
    b" 5\r\nhello\r\n": b"",
    b"\t5\r\nhello\r\n": b"",
    b"5 \r\nhello\r\n": b"",
    b"5\t\r\nhello\r\n": b"",
    b"5h\r\nhello\r\n": b"",
    b"5,5\r\nhello\r\n": b"",
    b"5.0\r\nhello\r\n": b"",
    b"g\r\nhello\r\n": b"",
    b"\xef\xbc\x95\r\nhello\r\n": b"",
    b"\xb2\r\nhello\r\n": b"",
    b"5\x00\r\nhello\r\n": b"",
    b"5_0\r\nhello\r\n": b"",
    b"00000000000000005\r\nhello\r\n": b"",
    b"10000000000000005\r\nhello\r\n": b"",
    b"fffffffffffffffff\r\nhello\r\n": b"",
    b"\r\n5\r\nhello\r\n": b"",
    b";\r\nhello\r\n": b"",
    b";5\r\nhello\r\n": b"",
    b"5\nhello\r\n": b"",
    b"5\rhello\r\n": b"",
    b"5\r\r\nhello\r\n": b"",
    b"5\n\nhello\r\n": b"",
    b"5;\nhello\r\n": b"",
    b"5;x\nhello\r\n": b"",
    b"5;x\rhello\r\n": b"",
    b"5;x\r\r\nhello\r\n": b"",
    b"5;x\x00\r\nhello\r\n": b"",
    b'5;x="\r\n"\r\nhello\r\n': b"",
    b"5 x\r\nhello\r\n": b"",
    b"5;" + b"x" * 5_000 + b"\r\nhello\r\n": b"",
    b"5\r\nhello0\r\n\r\n": b"hello",  # a chunk with no end
    b"5\r\nhello!!\r\n0\r\n\r\n": b"hello",
    b"5\r\nhello\n0\r\n\r\n": b"hello",
    b"5\r\nhello\r0\r\n\r\n": b"hello",
    b"5\r\nhello\n\r0\r\n\r\n": b"hello",
    b"5\r\nhello\r\n\r\n0\r\n\r\n": b"hello",
    b"5\r\nhello\r\n-0\r\n\r\n": b"hello",
    b"5\r\nhello\r\n0\n\r\n": b"hello",
    b"5\r\nhello\r\n0;x\n\r\n": b"hello",
    b"5\r\nhello\r\n00000000000000000\r\n\r\n": b"hello",
    b"5\r\nhello\r\n0\r\n\n": b"hello",
    b"5\r\nhello\r\n0\r\nx\r\n\r\n": b"hello",
    b"5\r\nhello\r\n0\r\n x: y\r\n\r\n": b"hello",
    b"5\r\nhello\r\n0\r\nx : y\r\n\r\n": b"hello",
    b"5\r\nhello\r\n0\r\nx: y\n\r\n": b"hello",
    b"5\r\nhello\r\n0\r\nx: y\rz: 1\r\n\r\n": b"hello",
    b"5\r\nhello\r\n0\r\nx: \x00\r\n\r\n": b"hello",
    b"5\r\nhello\r\n0\r\n: y\r\n\r\n": b"hello",
    b"5\r\nhello\r\n0\r\n" + b"x: y\r\n" * 3_000 + b"\r\n": b"hello",
    b"5\r\nhello\r\n0\r\nGET /{other} HTTP/1.1\r\nHost: a\r\n\r\n": b"hello",
}

# Bodies that are in order, whatever a careless reader would see in them: fields, body, what the receiver gets of it
WHOLE: dict[str, tuple[tuple[bytes, ...], bytes, bytes]] = {
    "a request in a counted body": ((b"Content-Length: {length}",), SMUGGLED, SMUGGLED),
    "an end of chunks in a counted body": ((b"Content-Length: 5",), b"0\r\n\r\n", b"0\r\n\r\n"),
    "leading zeros in a length": ((b"Content-Length: 000005",), b"hello", b"hello"),
    "nothing": ((b"Content-Length: 0",), b"", b""),
    "no length at all": ((), b"", b""),
    "an end of chunks in a chunk": ((CHUNKED,), b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
    "blanks around the coding": ((b"Transfer-Encoding:\t chunked  ",), b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    "the coding in capitals": ((b"TRANSFER-ENCODING: CHUNKED",), b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    "sixteen digits": ((CHUNKED,), b"0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", b"hello"),
    "digits in capitals": ((CHUNKED,), b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    "extensions": ((CHUNKED,), b'5 \t; a="\\";b\r\nhello\r\n0;GET /x\r\n\r\n', b"hello"),
    "trailers": ((CHUNKED,), b"5\r\nhello\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: x\r\n\r\n", b"hello"),
    "an underscore for a dash": (
        (b"Transfer_Encoding: chunked", b"Content_Length: 99", b"Content-Length: 5"),
        b"0\r\n\r\n",
        b"0\r\n\r\n",
    ),
    "a connection that names its length": ((b"Connection: content-length", b"Content-Length: 5"), b"hello", b"hello"),
    "an upgrade": (
        (b"Connection: upgrade, http2-settings", b"Upgrade: h2c", b"HTTP2-Settings: AAA", b"Content-Length: 5"),
        b"hello",
        b"hello",
    ),
}
