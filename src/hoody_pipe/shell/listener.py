"""Accepts connections; when the process can have no more of them, idle ones make room, or new ones have to wait."""

import asyncio
import errno
import socket
from collections.abc import Callable

from hoody_pipe.errors import ConfigError
from hoody_pipe.plane import life

Accept = Callable[[socket.socket, tuple[object, ...]], None]
MakeRoom = Callable[[], bool]

BACKLOG = 4096
BATCH = 64  # connections accepted before others get their turn
RETRY = 1.0  # seconds until a full process looks again by itself

_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def bind(host: str, port: int, dead_after: float) -> list[socket.socket]:
    """Listening sockets for every address of `host`, all on the same port; port 0 picks one.

    A peer that does not answer for `dead_after` seconds is dead (protocol Z.3).

    Raises:
        ConfigError: in one line, when that cannot be.
    """
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in _addresses(host, port):
            sock = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6 and host != "::":
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            prepare(sock, dead_after)
            sock.bind((address[0], sockets[0].getsockname()[1] if len(sockets) > 1 else port, *address[2:]))
            sock.listen(BACKLOG)
    except (OSError, UnicodeError, OverflowError) as error:
        for sock in sockets:
            sock.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(f"cannot listen on {host} port {port}: {reason}") from error
    return sockets


def prepare(sock: socket.socket, dead_after: float) -> None:
    """Set on a listening socket what the accepted ones are to inherit."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    life.probe(sock, dead_after)


def _addresses(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys(found))  # a name may list an address twice


class Listener:
    """Accepts on one listening socket; `make_room` gives up a descriptor, or says that it cannot."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, accept: Accept, make_room: MakeRoom
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._accept = accept
        self._make_room = make_room
        self._retry: asyncio.TimerHandle | None = None
        loop.add_reader(sock.fileno(), self._ready)

    def resume(self) -> None:
        """Try again if accepting was paused: there may be room now."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
            self._loop.add_reader(self._sock.fileno(), self._ready)

    def close(self) -> None:
        """Accept no more; the kernel turns away whom it has queued, unless another process has the socket too."""
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()

    def _ready(self) -> None:
        for _ in range(BATCH):
            try:
                sock, address = self._sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _FULL and not self._make_room():
                    self._pause()
                    return
                continue  # there is room now, or this one died in the queue (accept(2), ECONNABORTED and the like)
            sock.setblocking(False)
            try:
                self._accept(sock, address)
            except OSError:
                sock.close()

    def _pause(self) -> None:
        """The socket stays readable while nothing can be accepted: stop looking for a while."""
        self._loop.remove_reader(self._sock.fileno())
        self._retry = self._loop.call_later(RETRY, self.resume)
