"""A long body, made, sent, received and digested as it streams: no more than a piece of it is ever held."""

import hashlib
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

PIECE = 1 << 20


class Feed:
    """Writes numbered pieces to a program, `size` bytes in all; stands still at `rest` until it may go on."""

    def __init__(self, sink: IO[bytes], size: int, rest: int) -> None:
        self.digest = hashlib.sha256()
        self.is_resting = threading.Event()
        self.may_go_on = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(sink, size, rest), daemon=True)
        self._thread.start()

    def _run(self, sink: IO[bytes], size: int, rest: int) -> None:
        block = os.urandom(PIECE - 8)
        with sink:
            for number in range(size // PIECE):
                if number == rest // PIECE:
                    self.is_resting.set()
                    self.may_go_on.wait()
                piece = number.to_bytes(8) + block
                self.digest.update(piece)
                sink.write(piece)

    def finish(self, timeout: float) -> bytes:
        """The digest of everything, once it is written."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the sender takes no more"
        return self.digest.digest()


class Drain:
    """Digests what a program prints, as it prints it."""

    def __init__(self, source: IO[bytes]) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self._thread = threading.Thread(target=self._run, args=(source,), daemon=True)
        self._thread.start()

    def _run(self, source: IO[bytes]) -> None:
        scratch = memoryview(bytearray(PIECE))
        with source:
            while got := source.readinto(scratch):  # type: ignore[attr-defined]
                self.digest.update(scratch[:got])
                self.size += got

    def finish(self, timeout: float) -> bytes:
        """The digest of everything, once it has ended."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the receiver gets no end"
        return self.digest.digest()


@contextmanager
def curl(*args: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A curl with wide pipes that is gone afterwards; certificates are our own."""
    command = ["curl", "-q", "-sSNkf", "--noproxy", "*", *args]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, pipesize=PIECE) as process:
        try:
            yield process
        finally:
            process.kill()
