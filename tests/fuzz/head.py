"""A request head: however it is cut, the answer is the same, and what is accepted is what RFC 9112 allows."""

from fuzz.chunked import TEXT, TOKEN
from fuzz.cuts import all_cuts
from hoody_pipe.errors import Refused
from hoody_pipe.wire.head import LONGEST, RequestHead, find_end, parse

KNOWN = ("GET", "PUT", "POST", "HEAD", "OPTIONS")  # other methods are refused later, whatever else the head says
VISIBLE = bytes(range(0x21, 0x7F)) + bytes(range(0x80, 0x100))
HOST = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;="

Seen = tuple[object, ...]


def check(data: bytes) -> None:
    """Whole and in pieces, as a connection reads it."""
    outcomes = {read(pieces) for pieces in all_cuts(data)}
    assert len(outcomes) == 1, outcomes
    (outcome,) = outcomes
    if outcome[0] == "refused":
        assert outcome[1] in (400, 411, 417, 431)
        assert str(outcome[2]).isprintable()
    end = data.find(b"\r\n\r\n", 2 if data.startswith(b"\r\n") else 0)
    if 0 <= end <= LONGEST - 4:
        wanted = read_slowly(data[: end + 4])
        if outcome[0] == "refused":
            assert wanted is None, (outcome, wanted)
        elif outcome[1] in KNOWN:
            assert outcome == wanted, (outcome, wanted)


def read(pieces: list[bytes]) -> Seen:
    """What becomes of it: a head, a refusal, or nothing yet."""
    data, seen = b"", 0
    for piece in pieces:
        data += piece
        try:
            size = find_end(data, seen)
            if size:
                return parts_of(parse(data[:size]), data[:size])
        except Refused as refused:
            return "refused", refused.refusal.status, refused.refusal.line
        seen = len(data)
    return ("incomplete",)


def parts_of(head: RequestHead, data: bytes) -> Seen:
    """What others use of a head."""
    assert (head.raw, head.size) == (data, len(data))
    assert all(set(value.encode("latin-1")) <= set(TEXT) for value in head.headers.values())
    headers = sorted((name, value) for name, value in head.headers.items() if name != "connection")
    return "head", head.method, head.target, head.minor, head.length, head.keep_alive, tuple(headers)


def read_slowly(data: bytes) -> Seen | None:
    """A complete head that is allowed, taken apart step by step; None for any other."""
    first, *lines = data.removeprefix(b"\r\n").removesuffix(b"\r\n\r\n").split(b"\r\n")
    words = first.split(b" ")
    if len(words) != 3 or words[2] not in (b"HTTP/1.0", b"HTTP/1.1"):
        return None
    method, target, minor = words[0], words[1], words[2][-1] - ord("0")
    fields = [_field(line) for line in lines]
    if (
        not _is_made_of(method, TOKEN)
        or not target.startswith(b"/")
        or not _is_made_of(target, VISIBLE)
        or b"#" in target
    ):
        return None
    if None in fields:
        return None
    return _framed(
        method.decode(), target.decode("utf-8", "surrogateescape"), minor, [field for field in fields if field]
    )


def _field(line: bytes) -> tuple[str, str] | None:
    name, colon, value = line.partition(b":")
    if not colon or not _is_made_of(name, TOKEN) or any(byte not in TEXT for byte in value):
        return None
    if name.lower() == b"transfer-encoding" and b"\t" in value.lstrip(b" \t"):
        return None  # blanks may follow the coding, but httptools takes no tab there: that is strict enough
    return name.decode().lower(), value.decode("latin-1").strip(" \t")


def _is_made_of(text: bytes, allowed: bytes) -> bool:
    return bool(text) and all(byte in allowed for byte in text)


def _framed(method: str, target: str, minor: int, fields: list[tuple[str, str]]) -> Seen | None:
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    hosts, codings, lengths = (values.get(name, []) for name in ("host", "transfer-encoding", "content-length"))
    if len(hosts) > 1 or len(hosts) < minor or len(codings) + len(lengths) > 1:
        return None
    if hosts and not _is_host(hosts[0]):
        return None
    if any(coding.lower() != "chunked" or not minor for coding in codings):
        return None
    if any(not (length.isascii() and length.isdigit() and len(length) < 20) for length in lengths):
        return None
    if not minor and method in ("PUT", "POST") and not lengths:
        return None
    if minor and values.get("expect", ["100-continue"])[0].lower() != "100-continue":
        return None
    length = None if codings else int(lengths[0]) if lengths else 0
    connection = ", ".join(values.get("connection", [])).lower()
    headers = sorted((name, each[0]) for name, each in values.items() if name != "connection")
    return "head", method, target, minor, length, bool(minor) and "close" not in connection, tuple(headers)


def _is_host(host: str) -> bool:
    if host.startswith("["):
        address, bracket, port = host[1:].partition("]")
        if not bracket or not _is_made_of(address.encode("latin-1"), HOST[:63] + b".:%_~-"):
            return False
        return port == "" or (port[0] == ":" and (port[1:] == "" or (port[1:].isascii() and port[1:].isdigit())))
    name, _, port = host.partition(":")
    return all(byte in HOST for byte in name.encode("latin-1")) and (port == "" or (port.isascii() and port.isdigit()))
