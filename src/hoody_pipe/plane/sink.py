"""One receiver's socket, as a mover sees it."""

import socket
from collections.abc import Callable, Sequence

from hoody_pipe.errors import ReceiverGone
from hoody_pipe.plane import arrival

Part = bytes | memoryview

MOST_PARTS = 1000  # Linux takes 1024 buffers in one sendmsg (IOV_MAX)


class Sink:
    """Where a stream goes: a non-blocking socket and the bytes it still owes.

    `unsent` starts as the response head and later holds what the socket would not take yet; `tail` follows the last
    body byte. With `own_chunks` every piece of data is wrapped in a chunk of ours. `blocked` is set when the socket is
    full and cleared by whoever hears that it is writable again; `done` when the last byte was handed to the kernel.
    """

    __slots__ = ("blocked", "done", "own_chunks", "sock", "tail", "unsent")

    def __init__(self, sock: socket.socket, head: bytes, tail: bytes = b"", own_chunks: bool = False) -> None:
        self.sock = sock
        self.unsent: Part = head
        self.tail = tail
        self.own_chunks = own_chunks
        self.blocked = False
        self.done = False

    def flush(self) -> bool:
        """Send what is owed; say whether nothing is left.

        Raises:
            ReceiverGone: when the peer takes no more bytes.
        """
        while self.unsent:
            if self.blocked:
                return False
            sent = self.attempt(self.sock.send, self.unsent)
            self.unsent = self.unsent[sent:]
        return True

    def send(self, parts: Sequence[Part]) -> int:
        """Send as many bytes of `parts` as the socket takes; 0 sets `blocked`."""
        return self.attempt(self.sock.sendmsg, parts if len(parts) <= MOST_PARTS else [b"".join(parts)])

    def attempt(self, call: Callable[..., int], *arguments: object) -> int:
        """The bytes that one system call moved into the socket; 0 when it is full, and then `blocked` is set.

        Raises:
            ReceiverGone: when the peer takes no more bytes.
        """
        try:
            return call(*arguments)
        except BlockingIOError:
            self.blocked = True
            return 0
        except OSError as error:
            raise ReceiverGone(str(error)) from error

    def expect_last(self) -> None:
        """Ask the kernel to report when the bytes sent from now on have arrived."""
        arrival.watch(self.sock)
