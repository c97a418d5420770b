"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), each as one chunk or plain."""

import json
from collections.abc import Mapping

from hoody_pipe.wire.response import chunk


class Frame:
    """A piece of an event stream; the bytes of a chunk are made once, however many read it."""

    __slots__ = ("chunked", "plain")

    def __init__(self, text: bytes) -> None:
        self.plain = text
        self.chunked = chunk(text)


KEEPALIVE = Frame(b":keepalive\n\n")


def event(name: str, data: Mapping[str, object]) -> Frame:
    """One named event with a JSON object as its data."""
    return Frame(f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode())
