"""One accepted socket: reads request heads, writes what it is told, and ends so that nothing is lost.

Whoever owns the connection's present request is its occupant and hears about readiness; without one the connection
reads the next head. A head is looked at before it is taken (MSG_PEEK), so that not one byte of the body ever leaves the
kernel before there is somebody to give it to. Only what a chunked body has read past its end is kept here.
"""

import contextlib
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from hoody_pipe.config import Config
from hoody_pipe.errors import Refusal, Refused
from hoody_pipe.plane import arrival
from hoody_pipe.shell.deadlines import Deadlines
from hoody_pipe.shell.poller import BROKEN, CLOSED_BY_PEER, HUNG_UP, READABLE, WRITABLE, Poller
from hoody_pipe.wire import head as heads
from hoody_pipe.wire.head import RequestHead

if TYPE_CHECKING:
    from hoody_pipe.shell.crowd import Crowd

FIRST_LOOK = 4 * 1024  # bytes; nearly every head fits
MOST_UNREAD_OUTPUT = 64 * 1024  # bytes of status lines that a peer may leave unread
DRAIN_READS = 16  # of up to 1 MiB, in one turn
HEAD_TIMED_OUT = Refusal(408, "[ERROR] The request head was not complete in time.")

_LINGER = struct.Struct("ii")  # SO_LINGER: on or off, seconds


class Occupant(Protocol):
    """Who is served on a connection now."""

    def ready(self, mask: int) -> None:
        """Something changed; `mask` says what."""

    def gone(self) -> None:
        """The connection broke and is closed."""


class Host(Protocol):
    """What a connection needs from the server around it."""

    config: Config
    poller: Poller
    deadlines: Deadlines
    scratch: bytearray
    is_draining: bool
    crowd: "Crowd"

    def serve(self, connection: "Connection", head: RequestHead) -> None:
        """Answer one request."""

    def refuse(self, connection: "Connection", refusal: Refusal) -> None:
        """Answer something that is no request, and close."""

    def hand_on(self, connection: "Connection") -> bool:
        """Let the server that has taken over go on with a connection; False if there is none."""

    def connection_closed(self) -> None:
        """A descriptor is free again."""


class Connection:
    """A connection, from accept to close.

    `peer_ended`: the peer has sent its FIN; `has_ended`: we have sent ours; `unacknowledged`: when it broke, how many
    bytes the peer's kernel had not confirmed.
    """

    __slots__ = (
        "_address",
        "_host",
        "_is_dirty",
        "_may_have_more",
        "_out",
        "_pending",
        "_seen",
        "_will_close",
        "fd",
        "has_ended",
        "is_open",
        "occupant",
        "peer_ended",
        "sock",
        "unacknowledged",
    )

    def __init__(self, sock: socket.socket, host: Host, address: tuple[object, ...] = ()) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.occupant: Occupant | None = None
        self.is_open = True
        self.peer_ended = False
        self.has_ended = False
        self.unacknowledged = 0
        self._host = host
        self._address = address
        self._out = b""
        self._pending = b""  # read, but not used yet
        self._will_close = False  # a FIN follows what is still to be written
        self._is_dirty = False
        self._seen = 0  # of what is pending, bytes in which no head ends
        self._may_have_more = False  # something came that the present request has not read
        host.poller.register(self.fd, self._handle)  # first: it may fail
        host.crowd.enter(self, address)
        host.deadlines.arm(self, host.config.keep_alive, self.close)

    # what others call

    @property
    def peer(self) -> str:
        """The address of the peer."""
        return str(self._address[0]) if self._address else ""

    def write(self, data: bytes) -> None:
        """Send at the end of this turn, in one piece with whatever else is written in it."""
        self._out = self._out + data if self._out else data
        if len(self._out) > MOST_UNREAD_OUTPUT:
            self._host.poller.soon(self.abandon)
        self._mark_dirty()

    def put_back(self, data: bytes) -> None:
        """Keep bytes that were read past the end of a body: the next request begins with them."""
        self._pending = data

    @property
    def luggage(self) -> tuple[bytes, bytes]:
        """What was read and not used, and what was written and not sent: it goes with a socket that is handed over."""
        return self._pending, self._out

    def unpack(self, pending: bytes, unsent: bytes) -> None:
        """Begin with the luggage of a socket that was handed over."""
        self._pending = pending
        self._may_have_more = True
        if unsent:
            self.write(unsent)
        if pending:
            self._host.poller.soon(self._read_head)

    def has_moved_on(self) -> bool:
        """Whether the peer has sent something after the present request: the next one, or its FIN."""
        if self._pending:
            return True
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            self._host.poller.soon(self.abandon)  # who has heard of a reset is not told again: the next read is an end
            return False
        return True

    @property
    def is_silent(self) -> bool:
        """Whether nothing has come that was not read, or will not be read before the peer takes its answers."""
        try:
            return bool(self._out) or not self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False

    def take_pending(self) -> bytes:
        """The bytes that the present request's body begins with, if they were read already."""
        data, self._pending = self._pending, b""
        return data

    def hold(self) -> None:
        """Set no deadline: the request waits for something that comes soon."""
        self._host.deadlines.cancel(self)

    def wait(self, seconds: float, callback: Callable[[], None]) -> None:
        """Set a deadline for the present request."""
        self._host.deadlines.arm(self, seconds, callback)

    def next_request(self) -> None:
        """The response is complete: go on with the next request, or close."""
        if self._host.is_draining and self._host.hand_on(self):
            return
        if self._host.is_draining or self.peer_ended:
            self.linger()
            return
        self.occupant = None
        self._host.crowd.rests(self)
        self._host.deadlines.arm(self, self._host.config.keep_alive, self.close)
        if self._may_have_more or self._pending:
            self._host.poller.soon(self._read_head)

    def linger(self) -> None:
        """Send what is owed, half-close, read off what still comes for a bounded time, close.

        Closing at once would turn unread input into a reset that destroys the response on its way (RFC 9112, 9.6).
        """
        self.occupant = _Lingering(self)
        self._host.crowd.serves(self)
        self._host.deadlines.arm(self, self._host.config.linger, self.close)
        self._will_close = True
        self._mark_dirty()

    def end_by_reset(self, on: bool) -> None:
        """Whether any end of this socket, that of the process included, is a reset that drops what was not sent."""
        with contextlib.suppress(OSError):  # gone already
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER.pack(on, 0))

    def reset(self) -> None:
        """Close so that the peer sees a reset, where an orderly end would mean success."""
        self.end_by_reset(True)
        self.close()

    def abandon(self) -> None:
        """The connection broke, the peer has vanished or it does not read: drop what it is owed, tell the occupant."""
        if self.is_open:
            self.unacknowledged = arrival.unacknowledged(self.sock)
            occupant = self.occupant
            self.reset()
            if occupant is not None:
                occupant.gone()

    def close(self) -> None:
        """Let go of the socket; the occupant hears nothing."""
        if not self.is_open:
            return
        self.is_open = False
        self.occupant = None
        self._host.deadlines.cancel(self)
        self._host.poller.unregister(self.fd)
        self._host.crowd.leave(self)
        self.sock.close()
        self._host.connection_closed()

    # what readiness does

    def _handle(self, mask: int) -> None:
        try:
            self._react(mask)
        except Exception:
            self.abandon()  # nobody may wait for an answer that will not come
            raise

    def _react(self, mask: int) -> None:
        if mask & BROKEN and self._is_broken(mask):
            self.abandon()
            return
        if mask & CLOSED_BY_PEER:
            self.peer_ended = True
        if self._out and mask & WRITABLE:
            self._mark_dirty()
        if self.occupant is None:
            self._read_head()
        else:
            self._may_have_more |= bool(mask & READABLE)
            self.occupant.ready(mask)

    def _is_broken(self, mask: int) -> bool:
        arrival.take_report(self.sock)
        try:
            if self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return True
        except OSError:
            return True
        return bool(mask & HUNG_UP) and not self.has_ended  # a reset that another system call has heard of

    def _read_head(self) -> None:
        """Serve the next request if it is there, and the answers to those before it have left."""
        if self.occupant is not None or not self.is_open:
            return
        if self._out:
            self._may_have_more = True
            return
        has_begun = self._seen > 0
        try:
            size = self._find_head()
        except OSError:
            self.abandon()
            return
        except Refused as refused:
            self._host.refuse(self, refused.refusal)
            return
        if size:
            data, self._pending, self._seen = self._pending[:size], self._pending[size:], 0
            self._take_head(data)
        elif self.peer_ended:
            self.close()
        elif self._pending and not has_begun:  # the deadline runs from the first byte, whatever comes later
            self._host.deadlines.arm(self, self._host.config.head_timeout, self._head_timed_out)

    def _find_head(self) -> int:
        """The size of the head that what is pending begins with, 0 if it is not complete.

        What there is of it is taken from the socket, and nothing else.
        """
        if self._seen < len(self._pending):
            size = heads.find_end(self._pending)
            if size:
                return size
            self._seen = len(self._pending)
        while True:
            room = heads.LONGEST + 1 - self._seen if self._seen else FIRST_LOOK
            try:
                found = self.sock.recv(room, socket.MSG_PEEK)
            except BlockingIOError:
                return 0
            self.peer_ended |= not found
            size = heads.find_end(self._pending + found, self._seen)
            taken = size - self._seen if size else len(found)
            self._may_have_more = taken < len(found) or len(found) == room
            self._pending += self.sock.recv(taken)
            self._seen = len(self._pending)
            if size or len(found) < room:
                return size

    def _take_head(self, data: bytes) -> None:
        self._host.crowd.serves(self)
        try:
            head = heads.parse(data)
        except Refused as refused:
            self._host.refuse(self, refused.refusal)
            return
        self._host.serve(self, head)

    def _head_timed_out(self) -> None:
        self._host.refuse(self, HEAD_TIMED_OUT)

    # writing and ending

    def _mark_dirty(self) -> None:
        if not self._is_dirty:
            self._is_dirty = True
            self._host.poller.at_end(self.flush)

    def flush(self) -> None:
        """Send what was written, now."""
        self._is_dirty = False
        if not self.is_open:
            return
        try:
            if self._out:
                self._out = self._out[self.sock.send(self._out) :]
            if not self._out and self._may_have_more and self.occupant is None:
                self._host.poller.soon(self._read_head)
            if self._will_close and not self._out:
                self._will_close = False
                self.end()
                self.drain()
        except BlockingIOError:
            return
        except OSError:
            self.abandon()

    def end(self) -> None:
        """Send our FIN."""
        if not self.has_ended:
            self.has_ended = True
            try:
                self.sock.shutdown(socket.SHUT_WR)
            except OSError:
                self._host.poller.soon(self.abandon)  # nobody may wait for an end that was not sent

    def drain(self) -> None:
        """Read off and drop what the peer sends; close when it has ended."""
        try:
            for _ in range(DRAIN_READS):
                if not self.sock.recv_into(self._host.scratch, 0, socket.MSG_TRUNC):
                    self.close()
                    return
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        self._host.poller.soon(self.drain)


class _Lingering:
    """The occupant of a connection that is about to close."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ready(self, mask: int) -> None:
        if self._connection.has_ended:
            self._connection.drain()

    def gone(self) -> None:
        """There is nobody left to tell."""
