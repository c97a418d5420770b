"""Two networks of the test's own with one cable between them, which can be pulled out."""

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Self

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

NEAR = "192.0.2.1"  # TEST-NET-1, RFC 5737
FAR = "192.0.2.2"


class Unavailable(Exception):
    """Why there can be no network of one's own here."""


class Namespace:
    """A network namespace that is gone when the last process in it and the last reference to it are."""

    def __init__(self) -> None:
        home = _present()
        try:
            if _libc.unshare(_CLONE_NEWNET):
                raise Unavailable("no right to make network namespaces: " + os.strerror(ctypes.get_errno()))
            self.fd = _present()
            _enter(home)
        finally:
            os.close(home)
        self.ip("link", "set", "lo", "up")

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets that are made here and processes that are started here belong to it."""
        home = _present()
        _enter(self.fd)
        try:
            yield
        finally:
            _enter(home)
            os.close(home)

    def ip(self, *arguments: str) -> None:
        """Run ip(8) in it."""
        with self.inside():
            subprocess.run(["ip", *arguments], check=True)

    def close(self) -> None:
        """Let go of it."""
        os.close(self.fd)


class Cable:
    """Joins `near` and `far`."""

    def __init__(self) -> None:
        if shutil.which("ip") is None:
            raise Unavailable("ip (iproute2) is not installed")
        self.near = Namespace()
        self.far = Namespace()
        beyond = f"/proc/{os.getpid()}/fd/{self.far.fd}"
        self.near.ip("link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", beyond)
        for namespace, address in ((self.near, NEAR), (self.far, FAR)):
            namespace.ip("address", "add", address + "/24", "dev", "cable")
            namespace.ip("link", "set", "cable", "up")

    def pull(self) -> None:
        """Take the far end's interface down: from now on nothing passes, and nobody is told."""
        self.far.ip("link", "set", "cable", "down")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.near.close()
        self.far.close()


def _present() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _enter(fd: int) -> None:
    if _libc.setns(fd, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
