"""However what a stranger sends is cut into reads, the same comes of it, and a fault shows at the same byte."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz import chunked, head, multipart
from fuzz.cuts import cut
from hoody_pipe.wire.chunked import LONGEST_LINE, LONGEST_TRAILERS, CountedDecoder
from hoody_pipe.wire.head import LONGEST


def encode(chunks: list[bytes], extension: bytes, trailers: bytes) -> bytes:
    body = b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    return body + b"0" + extension + b"\r\n" + trailers + b"\r\n"


def damaged(data: bytes, damage: list[tuple[int, bytes]]) -> bytes:
    """With other bytes at some places, or none."""
    for place, instead in damage:
        at = place % (len(data) + 1)
        data = data[:at] + instead + data[at + 1 :]
    return data


SIZES = st.sampled_from([1, 2, 15, 16, 40])
CHUNKS = st.lists(
    st.one_of(st.binary(min_size=1, max_size=40), st.builds(lambda size: b"\r\n0;"[:size] * size, SIZES)), max_size=40
)
EXTENSIONS = st.sampled_from([b"", b";a=b", b' \t; x="y"', b";"])
TRAILERS = st.sampled_from([b"", b"T: 1\r\n", b"A:\r\nB: \xff\r\n"])
DAMAGE = st.lists(
    st.tuples(
        st.integers(0, 5_000), st.sampled_from([b"", b"\r", b"\n", b"\r\n", b"0", b"5", b";", b" ", b"\0", b"x"])
    ),
    max_size=2,
)
CUTS = st.lists(st.integers(0, 5_000), max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.builds(encode, CHUNKS, EXTENSIONS, TRAILERS), DAMAGE, CUTS, st.booleans())
def test_chunks_in_any_pieces_are_the_same_body_or_broken_at_the_same_byte(
    body: bytes, damage: list[tuple[int, bytes]], cuts: list[int], framed: bool
) -> None:
    """In both ways out, with extensions, trailers and faults."""
    data = damaged(body, damage)
    wanted = chunked.read_slowly(data)
    ways = [[data], cut(data, cuts), [data[at : at + 1] for at in range(len(data))]]
    assert len({chunked.decode(pieces, framed, wanted) for pieces in ways}) == 1


@pytest.mark.parametrize("framed", [True, False])
@pytest.mark.parametrize("body", [b"1\r\na\r\n0\r\n\r\n", b"1;\r\na\r\n0\r\nb:\r\n", b"01\r\na\r\n0\n", b"2\r\nab\rc"])
def test_no_way_to_cut_a_small_body_matters(body: bytes, framed: bool) -> None:
    """Every subset of the places between two bytes."""
    wanted = chunked.read_slowly(body)
    places = range(1, len(body))
    ways = [cut(body, list(chosen)) for count in range(len(body)) for chosen in combinations(places, count)]
    assert len(ways) == 2 ** (len(body) - 1)
    assert len({chunked.decode(pieces, framed, wanted) for pieces in ways}) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"1;" + b"x" * (LONGEST_LINE - 4) + b"\r\na\r\n0\r\n\r\n",
        b"1;" + b"x" * (LONGEST_LINE - 3) + b"\r\na\r\n0\r\n\r\n",
        b"0\r\nx:" + b"y" * (LONGEST_TRAILERS - 6) + b"\r\n\r\n",
        b"0\r\nx:" + b"y" * (LONGEST_TRAILERS - 5) + b"\r\n\r\n",
        b"0\r\n" + b"x:y\r\n" * (LONGEST_TRAILERS // 5) + b"\r\n",
    ],
)
def test_the_bounds_of_lines_and_trailers_are_the_same_in_any_pieces(data: bytes) -> None:
    """Exactly at them, and one byte beyond."""
    chunked.check(data)


LINES = st.lists(
    st.sampled_from(
        [
            b"GET /x HTTP/1.1\r\n",
            b"PUT /x?y HTTP/1.0\r\n",
            b"Host: a\r\n",
            b"Host: a b\r\n",
            b"Content-Length: 5\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Expect: 100-continue\r\n",
            b"X: y\r\n",
            b" z\r\n",
            b"X : y\r\n",
            b"X\r\n",
            b"\r\n",
        ]
    ),
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(LINES, DAMAGE, CUTS)
def test_a_head_in_any_pieces_is_the_same_head_or_refused_in_the_same_words(
    lines: list[bytes], damage: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    """On growing prefixes, each looked at once."""
    data = damaged(b"".join(lines) + b"\r\n", damage)
    assert head.read(cut(data, cuts)) == head.read([data])
    head.check(data)


@pytest.mark.parametrize("size", [LONGEST - 1, LONGEST, LONGEST + 1, LONGEST + 2])
@pytest.mark.parametrize("fault", [b"", b"\n", b"\0"])
def test_a_head_about_as_long_as_may_be_is_judged_the_same_in_any_pieces(size: int, fault: bytes) -> None:
    """Too long, or broken at its last byte but four: whichever shows first."""
    data = b"GET /x HTTP/1.1\r\nHost: a\r\nX: "
    data += b"x" * (size - len(data) - len(fault) - 4) + fault + b"\r\n\r\n"
    ways = [[data], [data[:4096], data[4096:]], cut(data, [size - 1, size - 2, size - 3, size - 4, size - 5, size - 6])]
    assert len({head.read(pieces) for pieces in ways}) == 1


PARTS = st.lists(
    st.tuples(
        st.sampled_from(['form-data; name="f"; filename="a"', 'form-data; name="input_text"', "form-data; name=x", ""]),
        st.one_of(st.binary(max_size=30), st.sampled_from([b"\r\n--xy", b"\r\n--xyz-", b"\r", b"--xyz\r\n"])),
    ),
    max_size=4,
)


@settings(max_examples=200, deadline=None)
@given(PARTS, DAMAGE, CUTS)
def test_a_form_in_any_pieces_has_the_same_part_to_send(
    parts: list[tuple[str, bytes]], damage: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    """Or is broken, in whatever pieces it comes."""
    form = b"".join(
        b"--xyz\r\nContent-Disposition: %b\r\n\r\n%b\r\n" % (disposition.encode(), data) for disposition, data in parts
    )
    data = damaged(form + b"--xyz--\r\n", damage)
    whole = multipart.decode(CountedDecoder(len(data)), [data], data)
    assert multipart.decode(CountedDecoder(len(data)), cut(data, cuts), data) == whole
    multipart.check(data)
