"""The chunked coding, checked strictly while it passes (RFC 9112, section 7.1)."""

import pytest

from hoody_pipe.errors import BadFraming
from hoody_pipe.wire.chunked import LONGEST_LINE, LONGEST_TRAILERS, ChunkedDecoder, CountedDecoder


def encode(chunks: list[bytes], extension: bytes = b"", trailers: bytes = b"") -> bytes:
    body = b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    return body + b"0" + extension + b"\r\n" + trailers + b"\r\n"


def pass_through(decoder: ChunkedDecoder | CountedDecoder, pieces: list[bytes]) -> bytes:
    """Feed pieces one by one, as the mover does, and collect what is to be forwarded."""
    out = b""
    for piece in pieces:
        parts = decoder.feed(bytearray(piece) + b"stale", len(piece))
        out += b"".join(parts)
        if decoder.finished:
            break
    return out


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("extension", [b"", b";a=b"])
def test_a_body_in_pieces_of_any_size_is_the_same_body(step: int, extension: bytes) -> None:
    chunks = [b"abc", b"\r\n0\r\n", b"x" * 30]
    body = encode(chunks, extension, b"T: 1\r\n")
    pieces = [body[start : start + step] for start in range(0, len(body), step)]
    assert pass_through(ChunkedDecoder(framed=False), pieces) == b"".join(chunks)
    assert pass_through(ChunkedDecoder(framed=True), pieces) + b"0\r\n\r\n" == encode(chunks)


@pytest.mark.parametrize("size", [1, 16, 1000, 20_000])
def test_a_long_run_of_equal_chunks_passes_as_one_piece(size: int) -> None:
    body = encode([b"\r" * size] * 200)
    decoder = ChunkedDecoder(framed=True)
    parts = decoder.feed(bytearray(body), len(body))
    assert [bytes(part) for part in parts] == [body[:-5]]
    assert (decoder.payload, decoder.used, decoder.finished) == (200 * size, len(body), True)


@pytest.mark.parametrize("position", [0, 1, 2, 5, 20, 21, -9, -8, -7])
def test_one_bad_byte_in_the_framing_of_a_run_is_found(position: int) -> None:
    """Chunks of 16 bytes: two digits, CR LF, 16 bytes, CR LF."""
    stride = 2 + 2 + 16 + 2
    body = bytearray(encode([b"x" * 16] * 100))
    start = 57 * stride if position >= 0 else 58 * stride + 7
    body[start + (position if position in (0, 1, 2, 20, 21) else (3 if position == 5 else position))] = ord("?")
    intact = encode([b"x" * 16] * 100)
    decoder = ChunkedDecoder(framed=True)
    offset = next(index for index in range(len(body)) if body[index] != intact[index]) % stride
    if 4 <= offset < 20:
        decoder.feed(body, len(body))
        assert decoder.finished
    else:
        with pytest.raises(BadFraming):
            decoder.feed(body, len(body))


def test_what_follows_the_body_is_not_taken() -> None:
    body = encode([b"abc"])
    for decoder, size in ((ChunkedDecoder(True), len(body)), (CountedDecoder(4), 4)):
        decoder.feed(bytearray(body + b"GET / HTTP/1.1"), len(body) + 14)
        assert decoder.used == size
        assert decoder.finished


def test_only_a_counted_body_says_how_much_may_be_read() -> None:
    assert ChunkedDecoder(True).most(100) == 100
    assert CountedDecoder(5).most(100) == 5


def test_a_counted_body_is_taken_to_its_length() -> None:
    decoder = CountedDecoder(5)
    assert pass_through(decoder, [b"ab", b"cdefg"]) == b"abcde"
    assert (decoder.payload, decoder.used) == (5, 3)
    assert decoder.feed(bytearray(b"x"), 1) == []


@pytest.mark.parametrize(
    "body",
    [
        b"\r\n",
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\na\r\n",
        b"0x1\r\na\r\n",
        b" 1\r\na\r\n",
        b"1 \r\na\r\n",
        b"1\na\r\n",
        b"1;a\x00\r\na\r\n",
        b"00000000000000001\r\na\r\n",
        b"1\r\nab\r\n",
        b"1\r\na\n",
        b"1\r\na\rx",
        b"0\r\nnonsense\r\n\r\n",
        b"0\r\nA : b\r\n\r\n",
        b"0\r\nA: b\n\r\n",
        b"0\r\n folded: b\r\n\r\n",
    ],
)
@pytest.mark.parametrize("step", [1, 1000])
@pytest.mark.parametrize("framed", [True, False])
def test_bad_framing_is_refused_in_whatever_pieces_it_comes(body: bytes, step: int, framed: bool) -> None:
    pieces = [body[start : start + step] for start in range(0, len(body), step)]
    with pytest.raises(BadFraming):
        pass_through(ChunkedDecoder(framed), pieces)


def test_lines_and_trailers_are_bounded() -> None:
    with pytest.raises(BadFraming, match="too long"):
        pass_through(ChunkedDecoder(True), [b"1;" + b"x" * LONGEST_LINE])
    with pytest.raises(BadFraming, match="too long"):
        pass_through(ChunkedDecoder(True), [b"0\r\n" + b"a: b\r\n" * (LONGEST_TRAILERS // 6 + 1)])


@pytest.mark.parametrize("digits", [b"000000000000000a", b"A", b"0a"])
def test_a_size_has_one_to_sixteen_hex_digits(digits: bytes) -> None:
    body = digits + b"\r\n0123456789\r\n0\r\n\r\n"
    assert pass_through(ChunkedDecoder(False), [body]) == b"0123456789"


def test_the_size_may_be_as_large_as_it_can_be_written() -> None:
    decoder = ChunkedDecoder(True)
    assert pass_through(decoder, [b"ffffffffffffffff\r\nabc"]) == b"ffffffffffffffff\r\nabc"
    assert not decoder.finished
