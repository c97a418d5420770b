"""What splice and tee share: a body of known length that goes from its socket into a kernel pipe."""

import socket

from hoody_pipe.errors import SenderGone, Unsupported
from hoody_pipe.plane.kpipe import SMALL, KernelPipe, PipePool
from hoody_pipe.plane.mover import SinkSet
from hoody_pipe.plane.sink import Sink


class PipedMover(SinkSet):
    """Moves `length` bytes; holds kernel pipes only while there are bytes in them.

    Descriptors are asked of their sockets for every call: that of a closed socket is -1, never a stranger's.
    """

    def __init__(self, source: socket.socket, sinks: list[Sink], length: int, pool: PipePool, largest: int) -> None:
        super().__init__(sinks)
        self._source = source
        self._length = length
        self._pool = pool
        self._size = SMALL
        self._largest = largest

    def close(self) -> None:
        """Give all pipes back."""
        raise NotImplementedError

    def fill(self, pipe: KernelPipe) -> int:
        """Move the next bytes into an empty pipe; how many, 0 if there are none now."""
        try:
            pulled = pipe.fill(self._source.fileno(), self._length - self.moved)
        except BlockingIOError:
            self.close()
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
        if self.body_read:
            for sink in self.sinks:
                sink.expect_last()
        return pulled

    def wants_more(self, pulled: int, pipe: KernelPipe) -> bool:
        """Whether the pipe was well filled and may be larger; then so is the wanted size."""
        if pulled < pipe.size // 2 or self._size >= self._largest:
            return False
        self._size = min(self._largest, self._size * 4)
        return True

    @staticmethod
    def empty(pipe: KernelPipe | None, sink: Sink) -> bool:
        """Move what a pipe holds into the sink; whether all of it went."""
        while pipe is not None and pipe.held:
            if sink.blocked or not sink.attempt(pipe.drain, sink.sock.fileno()):
                return False
        return True
