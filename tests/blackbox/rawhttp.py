"""A client made of one socket, for what curl cannot be made to do: exact bytes, cuts, resets, not reading."""

import array
import contextlib
import fcntl
import select
import socket
import struct
import termios
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

PATIENCE = 20.0  # seconds after which a wait is a failure


@dataclass(frozen=True)
class Head:
    """The status and fields of a response; names in lower case, repeated fields joined by a comma."""

    minor: int
    status: int
    fields: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """A whole response; `complete` says whether its framing was honoured to the end."""

    head: Head
    body: bytes
    complete: bool

    @property
    def status(self) -> int:
        """The status code."""
        return self.head.status

    @property
    def fields(self) -> dict[str, str]:
        """The header fields."""
        return self.head.fields

    @property
    def lines(self) -> list[str]:
        """The body as lines of text."""
        return self.body.decode().splitlines()


class Ended(Exception):
    """The peer ended or reset the connection before what was asked for had come."""

    def __init__(self, was_reset: bool, rest: bytes) -> None:
        super().__init__(f"{'reset' if was_reset else 'end'} after {rest[-200:]!r}")
        self.was_reset = was_reset
        self.rest = rest


class Raw:
    """One connection; every wait ends after `PATIENCE`."""

    def __init__(self, address: tuple[str, int], receive_buffer: int | None = None) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.connect(address)
        except BaseException:
            self.socket.close()
            raise
        self._buffer = bytearray()
        self.at_once = 65536  # bytes read with one call

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, data: bytes) -> Self:
        """Send all of `data`."""
        self.socket.sendall(data)
        return self

    def offer(self, data: bytes) -> Self:
        """Send `data`, unless the peer no longer takes it, or the test is over."""
        with contextlib.suppress(OSError):
            self.socket.sendall(data)
        return self

    def close(self) -> None:
        """Close; the peer sees a FIN, or a reset if something was left unread."""
        self.socket.close()

    def reset(self) -> None:
        """Close with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def half_close(self) -> None:
        """End the sending direction only."""
        self.socket.shutdown(socket.SHUT_WR)

    def is_silent(self) -> bool:
        """Whether nothing at all has come from the peer: no byte, no end."""
        return not self._buffer and not select.select([self.socket], [], [], 0)[0]

    def is_broken(self) -> bool:
        """Whether the connection was reset, or has ended, behind what was not read yet."""
        poll = select.poll()
        poll.register(self.socket, select.POLLRDHUP)
        return bool(poll.poll(0))

    def is_stuck(self) -> bool:
        """Whether what was sent waits in our kernel, and none of it leaves for a while."""

        def waiting() -> int:
            size = array.array("i", [0])
            fcntl.ioctl(self.socket, termios.TIOCOUTQ, size)
            return size[0]

        before = waiting()
        select.select([], [], [], 0.2)
        return before > 0 and waiting() == before

    def ends_within(self, seconds: float) -> bool:
        """Whether the peer ends or resets the connection in time, whatever it still sends before."""
        limit = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        while poll.poll(max(0.0, limit - time.monotonic()) * 1000):
            try:
                self._more()
            except Ended:
                return True
        return False

    def until(self, marker: bytes) -> bytes:
        """Everything up to and including `marker`, as it came on the wire."""
        searched = 0
        while (found := self._buffer.find(marker, searched)) < 0:
            searched = max(0, len(self._buffer) - len(marker) + 1)
            self._more()
        return self._take(found + len(marker))

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes."""
        while len(self._buffer) < size:
            self._more()
        return self._take(size)

    def head(self) -> Head:
        """The next response head."""
        first, *rest = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status = first.split(" ")[:2]
        assert version in ("HTTP/1.0", "HTTP/1.1"), first
        fields: dict[str, str] = {}
        for line in filter(None, rest):
            name, _, value = line.partition(":")
            key, value = name.lower(), value.strip()
            fields[key] = f"{fields[key]}, {value}" if key in fields else value
        return Head(int(version[-1]), int(status), fields)

    def answer(self, method: str = "GET") -> Answer:
        """The next final response, its body read as its framing says; interim responses are skipped."""
        head = self.head()
        while head.status < 200:
            head = self.head()
        return self.body_of(head, method)

    def body_of(self, head: Head, method: str = "GET") -> Answer:
        """The body that follows `head`."""
        body = bytearray()
        try:
            if method == "HEAD" or head.status in (204, 304):
                pass
            elif "chunked" in head.fields.get("transfer-encoding", ""):
                self._read_chunks(body)
            elif "content-length" in head.fields:
                size = int(head.fields["content-length"])
                while len(self._buffer) < size:
                    self._more()
                body += self._take(size)
            else:
                self._read_to_end(body)
        except Ended as end:
            body += end.rest if "chunked" not in head.fields.get("transfer-encoding", "") else b""
            return Answer(head, bytes(body), complete=False)
        return Answer(head, bytes(body), complete=True)

    def _read_chunks(self, body: bytearray) -> None:
        while True:
            size = int(self.until(b"\r\n").partition(b";")[0], 16)
            if size == 0:
                assert self.until(b"\r\n") == b"\r\n", "no trailers are forwarded"
                return
            left = size
            while left:
                if not self._buffer:
                    self._more()
                piece = self._take(min(left, len(self._buffer)))
                body += piece
                left -= len(piece)
            assert self.exactly(2) == b"\r\n"

    def _read_to_end(self, body: bytearray) -> None:
        try:
            while True:
                self._more()
        except Ended as end:
            if end.was_reset:
                raise
            body += end.rest

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _more(self) -> None:
        try:
            piece = self.socket.recv(self.at_once)
        except ConnectionResetError:
            raise Ended(True, self._take(len(self._buffer))) from None
        if not piece:
            raise Ended(False, self._take(len(self._buffer)))
        self._buffer += piece


def request(
    method: str, target: str, *fields: str, minor: int = 1, host: str = "pipe.example", body: bytes | None = None
) -> bytes:
    """One request; `body` adds a Content-Length."""
    lines = [f"{method} {target} HTTP/1.{minor}", f"Host: {host}", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def chunked(*pieces: bytes, end: bool = True) -> bytes:
    """The pieces as chunks, one each, and the last chunk."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return chunks + (b"0\r\n\r\n" if end else b"")
