"""The part of a form that is forwarded (RFC 7578, protocol B.5)."""

import pytest

from hoody_pipe.errors import BadFraming
from hoody_pipe.wire.chunked import ChunkedDecoder, CountedDecoder
from hoody_pipe.wire.multipart import FormDecoder

FILE = 'form-data; name="f"; filename="a.txt"'
FIELD = 'form-data; name="other"'
TEXT = 'form-data; name="input_text"'


def form(*parts: tuple[str, bytes], boundary: str = "xyz", end: bool = True) -> bytes:
    """A form of parts, each a disposition and its bytes."""
    whole = b""
    for disposition, data in parts:
        whole += (
            f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: text/css\r\n\r\n".encode()
            + data
            + b"\r\n"
        )
    return whole + (f"--{boundary}--\r\n".encode() if end else b"")


def read(body: bytes, *cuts: int, longest: int = 100) -> tuple[FormDecoder, bytes]:
    """Feed a body in pieces that end at the cuts; what came out of it."""
    decoder = FormDecoder(CountedDecoder(len(body)), "xyz", longest)
    out = b""
    ends = [*sorted(cuts), len(body)]
    for start, end in zip([0, *ends], ends, strict=False):
        assert decoder.most(end - start) == end - start
        out += b"".join(decoder.feed(bytearray(body[start:end]), end - start))
        assert decoder.used == end - start
    assert decoder.payload == len(out)
    return decoder, out


def test_the_first_file_is_chosen_and_all_else_is_dropped() -> None:
    decoder, out = read(form((FIELD, b"1"), (TEXT, b"2"), (FILE, b"the file"), (FILE, b"another"), (FIELD, b"3")))
    assert out == b"the file"
    assert decoder.finished
    assert decoder.chosen == {"content-disposition": FILE, "content-type": "text/css"}


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n--xy", b"--xyz\r\n", b"\r\n--xyzz"[:5], bytes(range(256))])
def test_every_cut_gives_the_same_bytes(data: bytes) -> None:
    body = form((FIELD, b"1"), (FILE, data), (FIELD, b"\r\n--xy"))
    for cut in range(len(body)):
        decoder, out = read(body, cut)
        assert (out, decoder.finished) == (data, True)
    assert read(body, *range(len(body)))[1] == data


@pytest.mark.parametrize(
    "disposition", ['form-data; filename="x"', "form-data; filename*=UTF-8''x", "attachment; filename=x"]
)
def test_a_part_with_a_filename_is_a_file(disposition: str) -> None:
    assert read(form((disposition, b"data")))[1] == b"data"


def test_the_text_is_sent_when_no_file_came() -> None:
    decoder, out = read(form((FIELD, b"1"), (TEXT, b"the text"), (TEXT, b"not this"), ('form-data; filename=""', b"")))
    assert (out, decoder.finished) == (b"the text", True)
    assert decoder.chosen == {"content-type": "text/plain; charset=utf-8"}


def test_an_empty_text_is_an_empty_stream() -> None:
    decoder, out = read(form((TEXT, b"")))
    assert (out, decoder.finished) == (b"", True)


def test_a_file_after_the_text_wins_however_long_the_text_is() -> None:
    assert read(form((TEXT, b"x" * 101), (FILE, b"file")))[1] == b"file"


@pytest.mark.parametrize(
    "body",
    [
        form(),
        form((FIELD, b"1")),
        form((TEXT, b"x" * 101)),
        form((FILE, b"cut"), end=False),
        form((TEXT, b"cut"), end=False)[:-2],
        form((FIELD, b"cut"), end=False),
        b"no boundary at all",
        b"--xyz\r\nno colon\r\n\r\n",
        b"--xyz\r\nX: " + b"x" * 10_000,
        b"",
    ],
)
def test_a_form_with_nothing_to_send_in_it_is_an_error(body: bytes) -> None:
    for cuts in ((), range(len(body))):
        with pytest.raises(BadFraming):
            read(body, *cuts)


def test_what_follows_the_file_may_be_anything_in_whatever_pieces_it_comes() -> None:
    body = form((FILE, b"the file"), end=False) + b"--xyz\r\nno colon\r\n\r\n"
    for cuts in ((), range(len(body))):
        decoder, out = read(body, *cuts)
        assert (out, decoder.finished) == (b"the file", True)


def test_empty_lines_may_come_before_the_first_boundary_and_nothing_else() -> None:
    body = form((FILE, b"the file"))
    for cuts in ((), range(len(body))):
        assert read(b"\r\n\n" + body, *cuts)[1] == b"the file"
        with pytest.raises(BadFraming):
            read(b"\r\npreamble" + body, *cuts)


def test_a_form_may_come_in_chunks() -> None:
    body = form((FILE, b"in chunks"))
    chunked = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\nNEXT"
    decoder = FormDecoder(ChunkedDecoder(framed=False), "xyz", 100)
    assert b"".join(decoder.feed(bytearray(chunked), len(chunked))) == b"in chunks"
    assert decoder.used == len(chunked) - 4
