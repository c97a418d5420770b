"""A body in chunks: however it is cut, the decoder finds what a slow and obvious reader finds, and at the same byte."""

from dataclasses import dataclass, field

from fuzz.cuts import all_cuts
from hoody_pipe.errors import BadFraming
from hoody_pipe.wire.chunked import LONGEST_LINE, LONGEST_TRAILERS, ChunkedDecoder

PROBLEMS = (
    "a chunk must be followed by CR LF",
    "a chunk head or the trailers are too long",
    "a trailer line is malformed",
    "a chunk size must be 1 to 16 hex digits",
)
HEX = b"0123456789abcdefABCDEF"
TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
TEXT = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))


@dataclass
class Reading:
    """What is in some bytes: `size` is that of the body if it is complete, `fault` where it is seen to be broken."""

    payload: bytes = b""
    heads: list[bytes] = field(default_factory=list)
    size: int | None = None
    fault: int | None = None


class Broken(Exception):
    """At which byte."""


class Incomplete(Exception):
    """More would have to come."""


def read_slowly(data: bytes) -> Reading:
    """Follow RFC 9112, section 7.1, step by step."""
    reading = Reading()
    try:
        reading.size = _read(data, reading)
    except Broken as broken:
        reading.fault = int(str(broken))
    except Incomplete:
        pass
    return reading


def _read(data: bytes, reading: Reading) -> int:
    at = 0
    while True:
        start, at = at, _end_of_line(data, at, LONGEST_LINE)
        size = _size_in(data[start:at])
        if size is None:
            raise Broken(at - 1)
        reading.heads.append(data[start:at])
        if size == 0:
            return _skip_trailers(data, at)
        reading.payload += data[at : at + size]
        at += size
        for expected in b"\r\n":
            if at >= len(data):
                raise Incomplete
            if data[at] != expected:
                raise Broken(at)
            at += 1


def _end_of_line(data: bytes, start: int, longest: int) -> int:
    for at in range(start, len(data)):
        if at - start >= longest:
            raise Broken(at)
        if data[at] == 10:
            return at + 1
    raise Incomplete


def _size_in(line: bytes) -> int | None:
    digits = 0
    while line[digits] in HEX:
        digits += 1
    rest = line[digits:-2].lstrip(b" \t")
    if not line.endswith(b"\r\n") or not 1 <= digits <= 16:
        return None
    if line[digits:-2] and (not rest.startswith(b";") or any(byte not in TEXT for byte in rest)):
        return None
    return int(line[:digits], 16)


def _skip_trailers(data: bytes, at: int) -> int:
    left = LONGEST_TRAILERS
    while True:
        start, at = at, _end_of_line(data, at, left)
        left -= at - start
        line = data[start:at]
        if line == b"\r\n":
            return at
        name, colon, value = line[:-2].partition(b":")
        is_token = bool(name) and all(byte in TOKEN for byte in name)
        if not (line.endswith(b"\r\n") and is_token and colon and all(byte in TEXT for byte in value)):
            raise Broken(at - 1)


def check(data: bytes) -> None:
    """Both ways out, whole and in pieces."""
    wanted = read_slowly(data)
    for framed in (False, True):
        problems = {decode(pieces, framed, wanted) for pieces in all_cuts(data)}
        assert len(problems) == 1, problems
        assert problems <= {"", *PROBLEMS}, (problems, wanted)


def decode(pieces: list[bytes], framed: bool, wanted: Reading) -> str:
    """Feed the pieces, and compare; what the decoder complains of."""
    decoder = ChunkedDecoder(framed)
    out, before = b"", 0
    for piece in pieces:
        try:
            parts = decoder.feed(bytearray(piece) + b"\r\n0", len(piece))
        except BadFraming as problem:
            is_expected = wanted.fault is not None and before <= wanted.fault < before + len(piece)
            return (
                str(problem) if is_expected and (framed or wanted.payload.startswith(out)) else "too early or too late"
            )
        out += b"".join(parts)
        if decoder.finished:
            assert before + decoder.used == wanted.size
            break
        assert decoder.used == len(piece)
        before += len(piece)
    assert wanted.fault is None or (pieces and wanted.fault >= before), "a fault was overlooked"
    assert decoder.finished == (wanted.size is not None)
    assert decoder.payload == len(wanted.payload)
    if framed:
        again = read_slowly(out + (b"0\r\n\r\n" if decoder.finished else b""))
        assert (again.payload, again.fault) == (wanted.payload, None)
        assert all(head[:-2].isalnum() for head in again.heads), "an extension got through"
    else:
        assert out == wanted.payload
    return ""
