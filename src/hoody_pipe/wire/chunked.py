"""The chunked coding of a request body (RFC 9112, section 7.1), checked strictly while it passes.

Two ways out: `framed` hands chunks on as they came, so that a run of them leaves in one piece; otherwise only their
data comes out, for a receiver that cannot take chunks. Extensions and trailers are read and dropped in both, and the
last chunk never passes: whoever forwards the body ends it by its own decision.

A stream of small chunks usually repeats one size. Such a run is checked column by column, with strided slices, at the
speed of C: the digits and line ends of thousands of chunks in a handful of comparisons.
"""

import re
from enum import Enum, auto

from hoody_pipe.errors import BadFraming

LONGEST_LINE = 4 * 1024  # bytes of one chunk head with its extensions
LONGEST_TRAILERS = 16 * 1024  # bytes of all trailer lines

_PLAIN_HEAD = re.compile(rb"([0-9A-Fa-f]{1,16})\r\n")
_ANY_HEAD = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n")
_FIRST_RUN = 16  # chunks that the first strided check covers; each success covers four times more
_LONGEST_STRIDE = 256 * 1024  # bytes; larger chunks are few, one by one is as fast

Part = bytes | memoryview


class _At(Enum):
    HEAD = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILERS = auto()
    END = auto()


class _Run:
    """What is to be forwarded of one buffer: neighbouring bytes leave as one view."""

    __slots__ = ("_start", "_view", "parts")

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._start = -1  # of the run that is open, if any
        self.parts: list[Part] = []

    def extend(self, position: int) -> None:
        """What begins at `position` is to be forwarded, and so on until the cut."""
        if self._start < 0:
            self._start = position

    def cut(self, position: int) -> None:
        """What begins at `position` is not."""
        if 0 <= self._start < position:
            self.parts.append(self._view[self._start : position])
        self._start = -1


class ChunkedDecoder:
    """Follows one chunked body through any splitting of its bytes.

    `payload` counts data bytes; after the end `finished` is set and `used` says how many bytes of the last buffer
    belonged to the body.
    """

    def __init__(self, framed: bool) -> None:
        self._framed = framed
        self._at = _At.HEAD
        self._left = 0  # data bytes of the current chunk still to come
        self._line = b""  # an incomplete line
        self._trailers = 0
        self.payload = 0
        self.used = 0

    @property
    def finished(self) -> bool:
        """Whether the last chunk and all trailers were read."""
        return self._at is _At.END

    def most(self, size: int) -> int:
        """How many of the next `size` bytes may be read; where this body ends shows only when it has ended."""
        return size

    def feed(self, buffer: bytearray, end: int) -> list[Part]:
        """Take `buffer[:end]`, return what to forward of it, in order, as views into it.

        Raises:
            BadFraming: at the first byte that breaks the coding.
        """
        run = _Run(memoryview(buffer))
        position = 0
        while position < end and self._at is not _At.END:
            if self._at is _At.DATA:
                position = self._take(run, position, end)
            elif self._at is _At.DATA_END:
                position = self._expect_line_end(run, buffer, position, end)
            else:
                position = self._take_line(run, buffer, position, end)
        run.cut(position)
        self.used = position
        return run.parts

    def _take(self, run: "_Run", position: int, end: int) -> int:
        taken = min(self._left, end - position)
        run.extend(position)
        self.payload += taken
        self._left -= taken
        if self._left == 0:
            self._at = _At.DATA_END
        if not self._framed:
            run.cut(position + taken)
        return position + taken

    def _take_line(self, run: "_Run", buffer: bytearray, position: int, end: int) -> int:
        plain = _PLAIN_HEAD.match(buffer, position, end) if self._at is _At.HEAD and not self._line else None
        size = int(plain[1], 16) if plain else 0
        if plain and size and self._framed:
            run.extend(position)
            return self._enter_chunk(buffer, position, end, plain.end(), size)
        run.cut(position)
        if plain:
            self._at, self._left = (_At.DATA, size) if size else (_At.TRAILERS, 0)
            return plain.end()
        position, own_head = self._read_line(buffer, position, end)
        run.parts += own_head
        return position

    def _enter_chunk(self, buffer: bytearray, head: int, end: int, data: int, size: int) -> int:
        if size <= _LONGEST_STRIDE:
            repeated = _count_repeated(buffer, head, end, data - head, size)
            if repeated:
                self.payload += repeated * size
                return head + repeated * (data - head + size + 2)
        self._at, self._left = _At.DATA, size
        return data

    def _expect_line_end(self, run: "_Run", buffer: bytearray, position: int, end: int) -> int:
        if self._framed:
            run.extend(position)
        taken = min(2 - len(self._line), end - position)
        self._line += buffer[position : position + taken]
        if not b"\r\n".startswith(self._line):
            raise BadFraming("a chunk must be followed by CR LF")
        if len(self._line) == 2:
            self._line, self._at = b"", _At.HEAD
        return position + taken

    def _read_line(self, buffer: bytearray, position: int, end: int) -> tuple[int, list[Part]]:
        """Read a chunk head that is split or has extensions, or a trailer line."""
        found = buffer.find(b"\n", position, end)
        stop = end if found < 0 else found + 1
        self._line += buffer[position:stop]
        longest = LONGEST_LINE if self._at is _At.HEAD else LONGEST_TRAILERS - self._trailers
        if len(self._line) > longest:
            raise BadFraming("a chunk head or the trailers are too long")
        if found < 0:
            return stop, []
        line, self._line = self._line, b""
        if self._at is _At.HEAD:
            return stop, self._read_head(line)
        self._trailers += len(line)
        if line == b"\r\n":
            self._at = _At.END
        elif not _TRAILER.fullmatch(line):
            raise BadFraming("a trailer line is malformed")
        return stop, []

    def _read_head(self, line: bytes) -> list[Part]:
        head = _ANY_HEAD.fullmatch(line)
        if head is None:
            raise BadFraming("a chunk size must be 1 to 16 hex digits")
        self._left = int(head[1], 16)
        if self._left == 0:
            self._at = _At.TRAILERS
            return []
        self._at = _At.DATA
        return [b"%x\r\n" % self._left] if self._framed else []


def _count_repeated(buffer: bytearray, start: int, end: int, head: int, size: int) -> int:
    """How many whole chunks with the very same head follow each other from `start`; a lower bound, may be 0."""
    stride = head + size + 2
    whole = (end - start) // stride
    columns = [(offset, buffer[start + offset]) for offset in range(head)]
    columns += [(stride - 2, 13), (stride - 1, 10)]
    count, run = 0, _FIRST_RUN
    while (run := min(run, whole - count)) >= 4:
        first, last = start + count * stride, start + (count + run) * stride
        if any(buffer[first + offset : last : stride].count(byte) != run for offset, byte in columns):
            break
        count, run = count + run, run * 4
    return count


class CountedDecoder:
    """A body of known length in bytes (RFC 9112, section 6.2), in the shape of `ChunkedDecoder`."""

    def __init__(self, length: int) -> None:
        self._length = length
        self.payload = 0
        self.used = 0

    @property
    def finished(self) -> bool:
        """Whether every byte was taken."""
        return self.payload == self._length

    def most(self, size: int) -> int:
        """How many of the next `size` bytes may be read."""
        return min(size, self._length - self.payload)

    def feed(self, buffer: bytearray, end: int) -> list[Part]:
        """Take `buffer[:end]`, return what belongs to the body."""
        self.used = min(end, self._length - self.payload)
        self.payload += self.used
        return [memoryview(buffer)[: self.used]] if self.used else []
