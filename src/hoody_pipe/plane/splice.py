"""The fast way for one receiver and a known length: socket → kernel pipe → socket, no byte in user space."""

import socket

from hoody_pipe.plane.kpipe import LARGE, KernelPipe, PipePool
from hoody_pipe.plane.piped import PipedMover
from hoody_pipe.plane.sink import Sink


class SpliceMover(PipedMover):
    """Moves `length` bytes to one sink."""

    def __init__(self, source: socket.socket, sink: Sink, length: int, pool: PipePool) -> None:
        super().__init__(source, [sink], length, pool, LARGE)
        self._pipe: KernelPipe | None = None

    def pull(self) -> int:
        """Fill the pipe."""
        pipe = self._pipe = self._pipe or self._pool.borrow(self._size)
        pulled = self.fill(pipe)
        if self.wants_more(pulled, pipe):
            pipe.grow(self._size)
        return pulled

    def flush_one(self, sink: Sink) -> bool:
        """Send the head, then what is in the pipe."""
        return sink.flush() and self.empty(self._pipe, sink)

    def drop(self, sink: Sink) -> None:
        """There is no other sink: what is in the pipe goes nowhere."""
        super().drop(sink)
        self.close()

    def close(self) -> None:
        """Give the pipe back."""
        if self._pipe is not None:
            self._pool.give_back(self._pipe)
            self._pipe = None
