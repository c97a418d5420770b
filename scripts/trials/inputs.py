"""Bad inputs without end: what fuzzing begins with and what it has found, and mutations of both."""

import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import NamedTuple

from fuzz.targets import kept

FORM = b"Content-Type: multipart/form-data; boundary=xyz\r\n"
NAMES = 1000  # so many are used in turn: what is remembered of each is not what is looked for
CHUNKED = b"Transfer-Encoding: chunked\r\n"


class Input(NamedTuple):
    """What is sent, and what a receiver asks for before that, if there is one."""

    data: bytes
    receiver: bytes = b""


Make = Callable[[bytes, bytes], bytes]  # of a seed and a name


def head(seed: bytes, name: bytes) -> bytes:
    """A whole request."""
    return seed.replace(b"name", name)


def chunks(seed: bytes, name: bytes) -> bytes:
    """A body in chunks."""
    return b"PUT /%b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (name, CHUNKED) + seed


def form(seed: bytes, name: bytes) -> bytes:
    """A form."""
    return b"POST /%b HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n" % (name, FORM, len(seed)) + seed


def path(seed: bytes, name: bytes) -> bytes:
    """The name of a pipe."""
    return b"GET /%b?wait=1 HTTP/1.1\r\nHost: a\r\n\r\n" % seed


def query(seed: bytes, name: bytes) -> bytes:
    """A query, and fields of a head."""
    first, _, rest = seed.partition(b"\n")
    fields = rest.replace(b"\n", b"\r\n") + (b"\r\n" if rest else b"")
    return b"PUT /%b?%b HTTP/1.1\r\nHost: a\r\n%b%b\r\n0\r\n\r\n" % (name, first, CHUNKED, fields)


def receiver(make: Make, seed: bytes, name: bytes) -> bytes:
    """One who asks for the body; with a query, if that is what is tried."""
    asked = b"?" + seed.partition(b"\n")[0] if make is query else b""
    return b"GET /%b%b HTTP/1.1\r\nHost: a\r\n\r\n" % (name, asked)


SEEDS: list[tuple[Make, list[bytes]]] = [
    (head, kept("head")),
    (chunks, kept("chunked")),
    (form, kept("multipart")),
    (path, kept("names")),
    (query, kept("query")),
]
ODDITIES = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b":",
    b";",
    b"0",
    b"5",
    b"\xff",
    b"%00",
    b"--xyz",
    b"\r\n\r\n",
    b"HTTP/1.1",
]


def inputs(chance: random.Random) -> Iterator[Input]:
    """One after the other; every third is a seed as it is."""
    for number in count():
        make, seeds = SEEDS[number % len(SEEDS)]
        seed, name = chance.choice(seeds), b"bad-%d" % (number % NAMES)
        data = make(seed, name)
        if number % 3:
            data = mutate(data, chance)
        yield Input(data, receiver(make, seed, name) if make in (chunks, form, query) else b"")


def mutate(data: bytes, chance: random.Random) -> bytes:
    """With a few bytes changed, lost, doubled or put in."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        to = min(len(data), at + chance.randint(0, 8))
        middle = chance.choice([b"", data[at:to] * 2, chance.choice(ODDITIES), bytes([chance.randrange(256)])])
        data = data[:at] + middle + data[to:]
    return data
