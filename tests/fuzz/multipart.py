"""A form: however it is cut, the same part comes out, as it is in the form."""

import logging

from fuzz.cuts import all_cuts
from fuzz.safe import assert_safe_fields
from hoody_pipe.core.forwarding import Forwarded
from hoody_pipe.core.limits import Limits
from hoody_pipe.core.params import EMPTY
from hoody_pipe.errors import BadFraming
from hoody_pipe.wire.chunked import ChunkedDecoder, CountedDecoder
from hoody_pipe.wire.multipart import FormDecoder, Framing

logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of every fault

BOUNDARY = "xyz"
LONGEST_TEXT = 64

Seen = tuple[object, ...]


def check(data: bytes) -> None:
    """In a counted body, and in chunks."""
    seen = {decode(CountedDecoder(len(data)), pieces, data) for pieces in all_cuts(data)}
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(data[at : at + 7]), data[at : at + 7]) for at in range(0, len(data), 7))
    seen.add(decode(ChunkedDecoder(framed=False), [chunks + b"0\r\n\r\n"], data))
    assert len(seen) == 1, seen


def decode(framing: Framing, pieces: list[bytes], data: bytes) -> Seen:
    """What a sender of these pieces would send on; a fault leaves nothing."""
    form = FormDecoder(framing, BOUNDARY, LONGEST_TEXT)
    out = b""
    try:
        for piece in pieces or [b""]:
            out += b"".join(form.feed(bytearray(piece) + b"--xyz--", len(piece)))
            assert form.used == len(piece)
    except BadFraming:
        return ("broken",)
    assert form.finished, "a form ends with its body"
    assert form.chosen is not None
    assert out in data
    assert form.payload == len(out)
    fields = Forwarded.of({}, Limits(), is_form=True).of_part(form.chosen).fields_for(EMPTY, "/name")
    assert_safe_fields(fields)
    return out, tuple(fields)
