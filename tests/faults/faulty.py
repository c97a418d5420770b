"""A server in a thread of this process, whose system calls fail when told to."""

import asyncio
import ctypes
import fcntl
import os
import select
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import uvloop

from hoody_pipe.app import url_of
from hoody_pipe.config import Config
from hoody_pipe.plane import kpipe
from hoody_pipe.shell.estate import Estate
from hoody_pipe.shell.listener import bind
from hoody_pipe.shell.server import Server

SOCKET_CALLS = ("recv", "recv_into", "recvmsg", "send", "sendmsg", "setsockopt", "getsockopt", "shutdown")


@dataclass
class Plan:
    """The `nth` call of this name fails with `errno`, once."""

    call: str
    nth: int
    errno: int


class Faults:
    """Counts the calls of the server's thread, and lets the planned one fail."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.struck = 0
        self._plan: Plan | None = None
        self.thread = 0

    def arm(self, plan: Plan | None) -> None:
        """Count from zero; fail as planned."""
        self.counts.clear()
        self._plan = plan

    def pass_by(self, call: str) -> None:
        """A call is about to be made.

        Raises: OSError as planned.
        """
        if threading.get_ident() != self.thread:
            return
        self.counts[call] += 1
        plan = self._plan
        if plan is not None and plan.call == call and plan.nth == self.counts[call]:
            self._plan = None
            self.struck += 1
            raise OSError(plan.errno, os.strerror(plan.errno))

    def wrap(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, which may fail."""

        def guarded(*arguments: Any, **named: Any) -> Any:
            self.pass_by(name)
            return call(*arguments, **named)

        return guarded


def faulty_sockets(faults: Faults) -> type[socket.socket]:
    """A socket class whose calls may fail, those of accepted sockets included."""

    class FaultySocket(socket.socket):
        def accept(self) -> tuple[socket.socket, Any]:
            faults.pass_by("accept")
            sock, address = super().accept()
            return FaultySocket(fileno=sock.detach()), address

    for name in SOCKET_CALLS:
        setattr(FaultySocket, name, faults.wrap(name, getattr(socket.socket, name)))
    return FaultySocket


def faulty_epoll(faults: Faults) -> Callable[[], Any]:
    """An epoll that may refuse a descriptor."""
    real = select.epoll

    class FaultyEpoll:
        def __init__(self) -> None:
            self._epoll = real()
            self.register = faults.wrap("epoll_ctl", self._epoll.register)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._epoll, name)

    return FaultyEpoll


class FaultyLibc:
    """tee(2) reports an error by its result."""

    def __init__(self, faults: Faults, real: ctypes.CDLL) -> None:
        self._faults = faults
        self._real = real

    def tee(self, *arguments: Any) -> int:
        try:
            self._faults.pass_by("tee")
        except OSError as error:
            ctypes.set_errno(error.errno or 0)
            return -1
        return int(self._real.tee(*arguments))


class Loop(uvloop.Loop):
    """Signals reach only a process' first thread: here they are called instead."""

    def __init__(self) -> None:
        super().__init__()
        self.on_signal: Callable[[], object] = lambda: None

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:  # type: ignore[override]
        self.on_signal = lambda: callback(*args)

    def remove_signal_handler(self, number: Any) -> bool:
        return True


class FaultyServer:
    """The server; `close` ends it as a second signal does."""

    def __init__(self, config: Config) -> None:
        self.faults = Faults()
        self._loop: Loop | None = None
        self._patches = ExitStack()
        for target, call in (("os.pipe2", os.pipe2), ("os.splice", os.splice), ("fcntl.fcntl", fcntl.fcntl)):
            self._patches.enter_context(patch(target, self.faults.wrap(target.partition(".")[2], call)))
        self._patches.enter_context(patch("fcntl.ioctl", self.faults.wrap("ioctl", fcntl.ioctl)))
        self._patches.enter_context(patch("select.epoll", faulty_epoll(self.faults)))
        self._patches.enter_context(patch.object(kpipe, "_libc", FaultyLibc(self.faults, kpipe._libc)))
        make = faulty_sockets(self.faults)
        self._sockets = [make(fileno=sock.detach()) for sock in bind("127.0.0.1", 0, config.dead_after)]
        self.url = url_of(self._sockets[0])
        self._has_started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(config,))
        self._thread.start()
        assert self._has_started.wait(20)

    def _run(self, config: Config) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, Loop)
            server = Server(config, Estate(None, list(self._sockets)), loop)
            self._loop, self.faults.thread = loop, threading.get_ident()
            self._has_started.set()
            await server.run()

        with asyncio.Runner(loop_factory=Loop) as runner:
            runner.run(main())

    def close(self) -> None:
        """Stop at once."""
        self.faults.arm(None)
        assert self._loop is not None
        for _ in range(2):
            self._loop.call_soon_threadsafe(self._loop.on_signal)
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._patches.close()
