"""The mover that works everywhere: through a buffer in user space.

The buffer belongs to the event loop, not to the transfer: a transfer owns only what its slowest receiver has not taken
yet. How much is read at once follows the room in the receivers' sockets, as the kernel tells it, so that what a
stopped receiver leaves behind stays small (protocol Z.7).
"""

import socket
import struct
import time
from typing import NamedTuple, Protocol

from hoody_pipe.errors import ReceiverGone, SenderGone
from hoody_pipe.plane.hashing import Digest
from hoody_pipe.plane.mover import TURN, SinkSet
from hoody_pipe.plane.sink import Part, Sink

SMALLEST_READ = 64 * 1024  # bytes
LEAST_READ = 4 * 1024  # bytes; where every few of them are work, as in chunks of one byte, less is read at once
SCRATCH = 1 << 20  # bytes; the largest read

_SO_MEMINFO = 55  # linux/socket.h; an array of unsigned 32-bit numbers, linux/sock_diag.h
_MEMINFO = struct.Struct("12x I 4x I 12x")  # SK_MEMINFO_SNDBUF and SK_MEMINFO_WMEM_QUEUED


class Body(Protocol):
    """How a body is framed: what of the bytes read belongs to it, and what of that is to be forwarded."""

    @property
    def payload(self) -> int: ...

    @property
    def used(self) -> int: ...

    @property
    def finished(self) -> bool: ...

    def most(self, size: int) -> int:
        """How many of the next `size` bytes may be read without reading past the body, as far as is known."""

    def feed(self, buffer: bytearray, end: int) -> list[Part]:
        """Take `buffer[:end]`, return what to forward of it; `used` says how much of it was body."""


class Begun(NamedTuple):
    """What has happened to a body before a mover gets it.

    `moved` bytes were delivered by another mover, `leading` ones were read from the source, and `first` is what the
    body has already given that nobody was sent.
    """

    moved: int = 0
    leading: bytes = b""
    first: bytes = b""


AT_ITS_START = Begun()


class CopyMover(SinkSet):
    """Moves a body of any framing to any number of sinks.

    `leftover` are the bytes that turned out to follow it. `digest` is fed with what is forwarded: the body must then
    come without its framing.
    """

    def __init__(
        self,
        source: socket.socket,
        sinks: list[Sink],
        body: Body,
        scratch: bytearray,
        begun: Begun = AT_ITS_START,
        digest: Digest | None = None,
    ) -> None:
        super().__init__(sinks)
        self._source = source
        self._body = body
        self._scratch = scratch
        self._digest = digest
        self.leftover = begun.leading
        self._first = begun.first
        self._before = begun.moved
        self.moved = begun.moved + body.payload
        self._size = SMALLEST_READ
        self._affordable = SCRATCH  # bytes whose framing can be read in one turn, going by the last ones
        self.body_read = body.finished and not begun.first
        if self.body_read:
            self._owe_tails()

    def close(self) -> None:
        """Nothing is held."""

    def pull(self) -> int:
        """Read once and send it to every sink."""
        if self._digest is not None:
            self._scratch = self._digest.buffer()
        try:
            parts, got = self._next()
        except BlockingIOError:
            return 0
        except OSError as error:
            raise SenderGone(str(error)) from error
        self.moved = self._before + self._body.payload
        self.body_read = self._body.finished
        if self._digest is not None:
            self._digest.update(parts)
        self._send(parts)
        self._size = min(self._next_size(got), self._affordable)
        return got

    def _next(self) -> tuple[list[Part], int]:
        """The next parts of the body, and how many bytes they came in."""
        if self._first:
            first, self._first = self._first, b""
            return [first], len(first)
        got = self._fill()
        if got == 0:
            raise SenderGone("the body ended early")
        began = time.monotonic()
        parts = self._body.feed(self._scratch, got)
        self._affordable = max(LEAST_READ, int(got * TURN / max(time.monotonic() - began, 1e-9)))
        if self._body.used < got:
            self.leftover = bytes(self._scratch[self._body.used : got]) + self.leftover
        return parts, got

    def _fill(self) -> int:
        if not self.leftover:
            return self._source.recv_into(self._scratch, self._body.most(self._size))
        got = min(len(self.leftover), self._body.most(self._size))
        self._scratch[:got] = self.leftover[:got]
        self.leftover = self.leftover[got:]
        return got

    def _send(self, parts: list[Part]) -> None:
        wrapped = whole = None
        for sink in tuple(self.sinks):
            out: list[Part] = parts
            if sink.own_chunks and parts:
                wrapped = wrapped or [b"%x\r\n" % sum(map(len, parts)), *parts, b"\r\n"]
                out = wrapped
            if self.body_read:
                sink.expect_last()
                out = [*out, sink.tail]
            if not out:
                continue
            try:
                sent = sink.send(out)
            except ReceiverGone:
                self.lose(sink)
                continue
            if len(self.sinks) > 1 and not sink.own_chunks and not sink.tail:
                # receivers that owe the same bytes share them
                whole = whole or b"".join(parts)
                sink.unsent = memoryview(whole)[sent:]
            elif sent < sum(map(len, out)):
                sink.unsent = memoryview(b"".join(out)[sent:])

    def _owe_tails(self) -> None:
        """An empty body: nothing but the tail follows the head."""
        for sink in self.sinks:
            sink.expect_last()
            sink.unsent = bytes(sink.unsent) + sink.tail

    def _next_size(self, got: int) -> int:
        if got < SMALLEST_READ:
            return SMALLEST_READ
        room = min((_room(sink.sock) for sink in self.sinks if not sink.unsent), default=0)
        return max(SMALLEST_READ, min(SCRATCH, room))


def _room(sock: socket.socket) -> int:
    """About how many bytes the socket takes now without refusing any."""
    try:
        size, queued = _MEMINFO.unpack(sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))
    except OSError:
        return 0
    return int(size - queued)
