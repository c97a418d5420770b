"""The fast way for one receiver and a known length: socket → kernel pipe → socket, no byte in user space."""

import socket

from hoody_pipe.errors import SenderGone, Unsupported
from hoody_pipe.plane.kpipe import LARGE, SMALL, KernelPipe, PipePool
from hoody_pipe.plane.mover import BUDGET, SinkSet
from hoody_pipe.plane.sink import Sink


class SpliceMover(SinkSet):
    """Moves `length` bytes to one sink."""

    def __init__(self, source: socket.socket, sink: Sink, length: int, pool: PipePool) -> None:
        super().__init__([sink])
        self._source = source.fileno()
        self._sink = sink
        self._length = length
        self._pool = pool
        self._pipe: KernelPipe | None = None
        self._size = SMALL

    def advance(self) -> bool:
        """See `Mover.advance`."""
        budget = BUDGET
        while budget > 0:
            if not self.flush_all() or self.body_read or not self.sinks:
                return False
            pulled = self._pull()
            if not pulled:
                return False
            budget -= pulled
        return True

    def flush_one(self, sink: Sink) -> bool:
        """Send the head, then what is in the pipe."""
        if not sink.flush():
            return False
        pipe = self._pipe
        if pipe is None:
            return True
        while pipe.held:
            if sink.blocked or not sink.attempt(pipe.drain, sink.fd):
                return False
        return True

    def lose(self, sink: Sink) -> None:
        """Note that the sink broke."""
        super().lose(sink)
        self.close()

    def close(self) -> None:
        """Give the pipe back."""
        if self._pipe is not None:
            self._pool.give_back(self._pipe)
            self._pipe = None

    def _pull(self) -> int:
        left = self._length - self.moved
        if self._pipe is None:
            self._pipe = self._pool.borrow(min(self._size, LARGE))
        try:
            pulled = self._pipe.fill(self._source, left)
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
        if pulled >= self._pipe.size // 2 and self._size < LARGE:
            self._size *= 4
            self._pipe.grow(self._size)
        if self.moved == self._length:
            self.body_read = True
            self._sink.expect_last()
        return pulled
