"""SHA-256 on a thread of its own: while it reads one buffer, bytes move through the other.

hashlib lets go of the interpreter while it works, so a hashed transfer runs nearly at the speed of the digest alone.
There is one thread and one pair of buffers for the whole event loop; what is short is digested at once.
"""

import hashlib
from collections.abc import Sequence
from queue import SimpleQueue
from threading import Lock, Thread

from hoody_pipe.plane.sink import Part

WORTH_IT = 16 * 1024  # bytes; with fewer the handing over costs more than the digest


class Hasher:
    """Makes digests, with buffers of `size` bytes; nothing is started before the first one."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._buffers: list[bytearray] = []
        self._turn = 0
        self._jobs: SimpleQueue[tuple[Digest, Sequence[Part], Lock] | None] = SimpleQueue()
        self.reading = [Lock(), Lock()]  # held while the thread reads that buffer

    def start(self) -> "Digest":
        """A new digest."""
        if not self._buffers:
            self._buffers = [bytearray(self._size), bytearray(self._size)]
            Thread(target=self._work, name="sha256", daemon=True).start()
        return Digest(self)

    def buffer(self) -> bytearray:
        """A buffer that nobody reads any more."""
        self._turn ^= 1
        _wait(self.reading[self._turn])
        return self._buffers[self._turn]

    def submit(self, digest: "Digest", parts: Sequence[Part]) -> None:
        """Feed parts of the present buffer to a digest, in order, soon."""
        lock = self.reading[self._turn]
        lock.acquire()
        self._jobs.put((digest, parts, lock))

    def close(self) -> None:
        """End the thread."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            digest, parts, lock = job
            digest.feed(parts)
            lock.release()


class Digest:
    """The SHA-256 of one body."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher
        self._sha256 = hashlib.sha256()

    def buffer(self) -> bytearray:
        """Where to read the next bytes of the body."""
        return self._hasher.buffer()

    def update(self, parts: Sequence[Part]) -> None:
        """Take the next parts of the body, all of them in the buffer given last."""
        if sum(map(len, parts)) >= WORTH_IT:
            self._hasher.submit(self, parts)
        else:
            self._catch_up()
            self.feed(parts)

    def feed(self, parts: Sequence[Part]) -> None:
        """Digest parts now."""
        self._sha256.update(parts[0] if len(parts) == 1 else b"".join(parts))

    def hexdigest(self) -> str:
        """The digest of everything taken."""
        self._catch_up()
        return self._sha256.hexdigest()

    def _catch_up(self) -> None:
        for lock in self._hasher.reading:
            _wait(lock)


def _wait(lock: Lock) -> None:
    with lock:
        pass
