"""What comes before the stream of a form: nobody can be answered before the part that is to be sent has shown."""

import socket
import time
from collections.abc import Callable

from hoody_pipe.errors import SenderGone
from hoody_pipe.plane.copy import LEAST_READ
from hoody_pipe.plane.mover import TURN
from hoody_pipe.wire.multipart import FormDecoder


class Preamble:
    """Reads a form up to the part; `first` is what of the part was read with it, `leftover` what follows the body."""

    def __init__(self, source: socket.socket, form: FormDecoder, leading: bytes, again: Callable[[], None]) -> None:
        self.form = form
        self.first = b""
        self.leftover = leading
        self._source = source
        self._again = again

    def read(self) -> bool:
        """Read on; whether the part has shown. If there is more to read than fits in a turn, ask for another.

        Raises:
            SenderGone: the body ended, or the connection broke.
            BadFraming: the form is malformed, or there is nothing in it to send.
        """
        limit = time.monotonic() + TURN
        while time.monotonic() < limit:
            data = self._next()
            if data is None:
                return False
            self.first += b"".join(self.form.feed(bytearray(data), len(data)))
            self.leftover = data[self.form.used :] + self.leftover
            if self.form.chosen is not None:
                return True
        self._again()
        return False

    def _next(self) -> bytes | None:
        size = self.form.most(LEAST_READ)
        if size == 0:
            return b""  # nothing to read on for: the form says what is missing
        if self.leftover:
            data, self.leftover = self.leftover[:size], self.leftover[size:]
            return data
        try:
            data = self._source.recv(size)
        except BlockingIOError:
            return None
        except OSError as error:
            raise SenderGone(str(error)) from error
        if not data:
            raise SenderGone("the form ended early")
        return data
