"""Messages with descriptors between two servers on one machine, over a unix socket that keeps their borders."""

import json
import os
import select
import socket
from typing import Any

PIECE = 64 * 1024  # bytes; a socket's buffer takes a few of them
PATIENCE = 10.0  # seconds for the other server to read or answer
MOST_DESCRIPTORS = 250  # the kernel's limit for one message is 253

_MORE, _LAST = b"+", b"."

Message = dict[str, Any]


class Channel:
    """One end; every call raises OSError when the other end is gone or does nothing for `PATIENCE`."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(PATIENCE)

    def send(self, message: Message, *fds: int) -> None:
        """Send one message; of the descriptors the other end gets copies."""
        data = json.dumps(message).encode()
        while len(data) > PIECE:
            self.sock.send(_MORE + data[:PIECE])
            data = data[PIECE:]
        socket.send_fds(self.sock, [_LAST + data], fds)

    def receive(self) -> tuple[Message, list[int]]:
        """Wait for one message.

        Raises:
            EOFError: when the other end has closed.
        """
        data = b""
        while True:
            piece, fds, flags, _ = socket.recv_fds(self.sock, PIECE + 1, MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
            data += piece[1:]
            if flags & socket.MSG_CTRUNC:
                for fd in fds:
                    os.close(fd)
                raise OSError("this process may not have so many open files")
            if not piece:
                raise EOFError
            if piece.startswith(_LAST):
                return json.loads(data), fds

    def has_message(self) -> bool:
        """Whether something can be received now, the end included."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Say no more."""
        self.sock.close()
