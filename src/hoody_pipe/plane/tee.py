"""The fast way for several receivers and a known length: one kernel pipe per receiver, all holding the same pages."""

import socket

from hoody_pipe.errors import SenderGone, Unsupported
from hoody_pipe.plane.kpipe import LARGE, SMALL, KernelPipe, PipePool
from hoody_pipe.plane.piped import PipedMover
from hoody_pipe.plane.sink import Sink

ALL_PIPES = 16 << 20  # bytes that the pipes of one transfer may hold together


class TeeMover(PipedMover):
    """Moves `length` bytes to every sink."""

    def __init__(self, source: socket.socket, sinks: list[Sink], length: int, pool: PipePool) -> None:
        super().__init__(source, sinks, length, pool, max(SMALL, min(LARGE, ALL_PIPES // len(sinks))))
        self._main: KernelPipe | None = None
        self._branches: dict[Sink, KernelPipe] = {}

    def pull(self) -> int:
        """Fill the main pipe and give every sink the same bytes."""
        main = self._main or self._borrow()
        pulled = self.fill(main)
        if pulled:
            self._share(main)
            if self.wants_more(pulled, main):
                self._fit(main)
        return pulled

    def flush_one(self, sink: Sink) -> bool:
        """Send the head, then what is in this sink's pipe."""
        return sink.flush() and self.empty(self._branches.get(sink), sink)

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

    def _share(self, main: KernelPipe) -> None:
        """Give every sink the same bytes, and empty the main pipe."""
        for sink in tuple(self.sinks):
            if not main.duplicate(self._branches[sink]):
                self.lose(sink)  # rather one receiver that knows it is broken than one that misses bytes
        try:
            while main.held:
                main.drain(self._pool.null)
        except OSError as error:  # what is left in it was shared already and may not be shared again
            raise SenderGone(str(error)) from error

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
