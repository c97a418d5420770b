"""Readiness of many sockets, told once per change.

All connections sit in one epoll of ours whose own descriptor the event loop watches. So every socket is registered
once in its life, edge-triggered for everything at the same time, a dead peer included whose bytes nobody reads
(EPOLLRDHUP): that is what an event loop's reader and writer callbacks cannot tell. And a turn has an end, at which
everything that was written in it leaves with one system call per connection.
"""

import asyncio
import select
from collections import deque
from collections.abc import Callable

from hoody_pipe.shell.guard import guarded

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT
CLOSED_BY_PEER = select.EPOLLRDHUP
HUNG_UP = select.EPOLLHUP
BROKEN = select.EPOLLERR | HUNG_UP

_EVERYTHING = READABLE | WRITABLE | CLOSED_BY_PEER | select.EPOLLET
_BATCH = 256  # events taken at once


class Poller:
    """Calls one handler per descriptor with the mask of what is ready."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._soon: deque[Callable[[], None]] = deque()
        self._at_end: list[Callable[[], None]] = []
        self._is_scheduled = False
        loop.add_reader(self._epoll.fileno(), self._turn)

    def register(self, fd: int, handler: Callable[[int], None]) -> None:
        """Report every change of this descriptor, and what is ready already."""
        self._epoll.register(fd, _EVERYTHING)  # first: it may fail
        self._handlers[fd] = handler

    def unregister(self, fd: int) -> None:
        """Report nothing more; to be called before the descriptor is closed."""
        del self._handlers[fd]
        self._epoll.unregister(fd)

    def soon(self, callback: Callable[[], None]) -> None:
        """Call once in this turn, or in the next if this one has had its share."""
        self._soon.append(callback)
        self._schedule()

    def at_end(self, callback: Callable[[], None]) -> None:
        """Call once when this turn has seen everything that is ready."""
        self._at_end.append(callback)
        self._schedule()

    def close(self) -> None:
        """Stop watching."""
        self.loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self.loop.call_soon(self._turn)

    def _turn(self) -> None:
        if self._epoll.closed:
            return
        self._is_scheduled = True  # what this turn asks for it does itself
        for fd, mask in self._epoll.poll(0, _BATCH):
            handler = self._handlers.get(fd)  # none if an earlier handler of this batch closed it
            if handler is not None:
                guarded(handler, mask)
        for _ in range(len(self._soon)):
            guarded(self._soon.popleft())
        at_end, self._at_end = self._at_end, []
        for callback in at_end:
            guarded(callback)
        self._is_scheduled = False
        if self._soon or self._at_end:
            self._schedule()
