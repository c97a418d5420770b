"""The fast way for several receivers and a known length: one kernel pipe per receiver, all holding the same pages."""

import socket

from hoody_pipe.errors import SenderGone, Unsupported
from hoody_pipe.plane.kpipe import LARGE, SMALL, KernelPipe, PipePool
from hoody_pipe.plane.mover import BUDGET, SinkSet
from hoody_pipe.plane.sink import Sink

ALL_PIPES = 16 << 20  # bytes that the pipes of one transfer may hold together


class TeeMover(SinkSet):
    """Moves `length` bytes to every sink."""

    def __init__(self, source: socket.socket, sinks: list[Sink], length: int, pool: PipePool) -> None:
        super().__init__(sinks)
        self._source = source.fileno()
        self._length = length
        self._pool = pool
        self._main: KernelPipe | None = None
        self._branches: dict[Sink, KernelPipe] = {}
        self._size = SMALL
        self._largest = max(SMALL, min(LARGE, ALL_PIPES // len(sinks)))

    def advance(self) -> bool:
        """See `Mover.advance`."""
        budget = BUDGET
        while budget > 0:
            if not self.flush_all() or self.body_read or not self.sinks:
                return False
            pulled = self._pull()
            if not pulled:
                return False
            budget -= pulled * len(self.sinks)
        return True

    def flush_one(self, sink: Sink) -> bool:
        """Send the head, then what is in this sink's pipe."""
        if not sink.flush():
            return False
        branch = self._branches.get(sink)
        while branch is not None and branch.held:
            if sink.blocked or not sink.attempt(branch.drain, sink.fd):
                return False
        return True

    def drop(self, sink: Sink) -> None:
        """Go on without this sink."""
        super().drop(sink)
        branch = self._branches.pop(sink, None)
        if branch is not None:
            self._pool.give_back(branch)

    def close(self) -> None:
        """Give all pipes back."""
        for pipe in [self._main, *self._branches.values()]:
            if pipe is not None:
                self._pool.give_back(pipe)
        self._main = None
        self._branches.clear()

    def _pull(self) -> int:
        main = self._main or self._borrow()
        try:
            pulled = main.fill(self._source, self._length - self.moved)
        except BlockingIOError:
            self.close()  # a transfer that waits for its sender holds no pipe
            return 0
        except Unsupported:
            self.close()
            raise
        except OSError as error:
            raise SenderGone(str(error)) from error
        if pulled == 0:
            raise SenderGone("the body ended early")
        self.moved += pulled
        self.body_read = self.moved == self._length
        self._share(main)
        if pulled >= main.size // 2 and self._size < self._largest:
            self._size = min(self._largest, self._size * 4)
            self._fit(main)
        return pulled

    def _share(self, main: KernelPipe) -> None:
        """Give every sink the same bytes, and empty the main pipe."""
        for sink in tuple(self.sinks):
            if self.body_read:
                sink.expect_last()
            if not main.duplicate(self._branches[sink]):
                self.lose(sink)  # rather one receiver that knows it is broken than one that misses bytes
        while main.held:
            main.drain(self._pool.null)

    def _borrow(self) -> KernelPipe:
        """Borrow one pipe for every sink, and one that no branch is smaller than."""
        try:
            for sink in self.sinks:
                self._branches[sink] = self._pool.borrow(self._size)
            self._main = main = self._pool.borrow(SMALL)
        except Unsupported:
            self.close()
            raise
        self._fit(main)
        return main

    def _fit(self, main: KernelPipe) -> None:
        """Bring the pipes to the wanted size, or as near as may be; no branch may be smaller than the main pipe."""
        for branch in self._branches.values():
            branch.grow(self._size)
        main.resize(min((branch.size for branch in self._branches.values()), default=SMALL))
