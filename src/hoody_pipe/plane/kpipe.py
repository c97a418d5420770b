"""Kernel pipes: made, grown, kept for reuse and counted; and the two system calls that move bytes through them.

A splice that would block means either that the socket is empty or that the pipe is full. Here a pipe is only filled
when it is empty, so it always means the socket.

An unprivileged user may hold 64 MiB of pipe buffers in all (pipe(7), pipe-user-pages-soft): pipes start small, and a
transfer holds one only while bytes are in it.
"""

import contextlib
import ctypes
import errno
import fcntl
import os

from hoody_pipe.errors import Unsupported

SMALL = 64 * 1024  # bytes; what pipe(2) gives
LARGE = 1 << 20  # bytes; what any user may ask for (pipe-max-size)
MOST_IDLE = 128  # pipes kept for reuse

_FLAGS = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOMEM)

_libc = ctypes.CDLL(None, use_errno=True)


class KernelPipe:
    """One pipe: its two ends, its size, and the bytes in flight."""

    __slots__ = ("held", "read_end", "size", "write_end")

    def __init__(self) -> None:
        try:
            self.read_end, self.write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise Unsupported(str(error)) from error
        self.held = 0
        try:
            self.size = fcntl.fcntl(self.write_end, fcntl.F_GETPIPE_SZ)
        except OSError as error:
            self.close()
            raise Unsupported(str(error)) from error

    def grow(self, size: int) -> None:
        """Hold at least `size` bytes, or stay as it is where the system's limit says so."""
        if self.size < size:
            self.resize(size)

    def resize(self, size: int) -> None:
        """Hold `size` bytes, or stay as it is where the system's limit says so."""
        if self.size != size:
            with contextlib.suppress(OSError):  # EPERM past the user's limit: a smaller pipe only needs more calls
                self.size = fcntl.fcntl(self.write_end, fcntl.F_SETPIPE_SZ, size)

    def fill(self, source: int, most: int) -> int:
        """Move bytes from a socket into this empty pipe.

        Raises:
            BlockingIOError: the socket is empty.
            Unsupported: the kernel cannot splice from it.
            OSError: the socket broke.
        """
        try:
            self.held = os.splice(source, self.write_end, min(most, self.size), flags=_FLAGS)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                raise Unsupported(str(error)) from error
            raise
        return self.held

    def drain(self, target: int) -> int:
        """Move bytes from this pipe to a descriptor; the count.

        Raises:
            OSError: BlockingIOError when the target is full, anything else when it broke.
        """
        count = os.splice(self.read_end, target, self.held, flags=_FLAGS)
        self.held -= count
        return count

    def duplicate(self, branch: "KernelPipe") -> bool:
        """Let an empty pipe of at least this size hold the same bytes (tee(2)); False if they do not all fit."""
        branch.held = max(0, _libc.tee(self.read_end, branch.write_end, ctypes.c_size_t(self.held), _FLAGS))
        return branch.held == self.held

    def close(self) -> None:
        """Close both ends; bytes in flight are gone."""
        os.close(self.read_end)
        os.close(self.write_end)


class PipePool:
    """At most so many pipes; the last one returned is lent first, its pages are warm."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lent = 0
        self._idle: list[KernelPipe] = []
        self.null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)

    def borrow(self, size: int) -> KernelPipe:
        """An empty pipe, of `size` bytes if that may be.

        Raises:
            Unsupported: when no pipe is to be had.
        """
        if self._lent >= self._most:
            raise Unsupported("all kernel pipes are in use")
        pipe = self._idle.pop() if self._idle else KernelPipe()
        self._lent += 1
        pipe.grow(size)
        return pipe

    def give_back(self, pipe: KernelPipe) -> None:
        """Take a pipe back; one that still holds bytes is closed."""
        self._lent -= 1
        if pipe.held or len(self._idle) >= MOST_IDLE:
            pipe.close()
        else:
            self._idle.append(pipe)

    def close(self) -> None:
        """Close what is not lent."""
        while self._idle:
            self._idle.pop().close()
        os.close(self.null)
