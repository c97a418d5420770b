"""However a chunked body is cut into reads, the same comes out."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hoody_pipe.wire.chunked import ChunkedDecoder


def encode(chunks: list[bytes], extension: bytes = b"", trailers: bytes = b"") -> bytes:
    body = b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    return body + b"0" + extension + b"\r\n" + trailers + b"\r\n"


def pass_through(decoder: ChunkedDecoder, pieces: list[bytes]) -> bytes:
    """Feed pieces one by one, as the mover does, and collect what is to be forwarded."""
    out = b""
    for piece in pieces:
        parts = decoder.feed(bytearray(piece) + b"stale", len(piece))
        out += b"".join(parts)
        if decoder.finished:
            break
    return out


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[first:last] for first, last in pairwise(edges) if first < last]


CHUNKS = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
CUTS = st.lists(st.integers(0, 10_000), max_size=12)


@settings(max_examples=120, deadline=None)
@given(chunks=CHUNKS, cuts=CUTS, extension=st.sampled_from([b"", b";a=b", b' ; x="y"']))
def test_any_splitting_gives_the_same_data(chunks: list[bytes], cuts: list[int], extension: bytes) -> None:
    pieces = split(encode(chunks, extension, b"T: 1\r\n"), cuts)
    decoder = ChunkedDecoder(framed=False)
    assert pass_through(decoder, pieces) == b"".join(chunks)
    assert decoder.finished
    assert decoder.payload == len(b"".join(chunks))


@settings(max_examples=120, deadline=None)
@given(chunks=CHUNKS, cuts=CUTS, extension=st.sampled_from([b"", b";a"]))
def test_framed_chunks_pass_without_extensions_trailers_and_the_last_chunk(
    chunks: list[bytes], cuts: list[int], extension: bytes
) -> None:
    pieces = split(encode(chunks, extension, b"T: 1\r\n"), cuts)
    decoder = ChunkedDecoder(framed=True)
    assert pass_through(decoder, pieces) + b"0\r\n\r\n" == encode(chunks)
    assert decoder.payload == len(b"".join(chunks))
