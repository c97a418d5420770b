"""Giving everything to a successor: the old server's side."""

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from hoody_pipe.shell.channel import Channel
from hoody_pipe.shell.estate import Estate, Kept, bequeath

if TYPE_CHECKING:
    from hoody_pipe.shell.relay import Relay

log = logging.getLogger(__name__)


class Handover:
    """Waits for a successor on `control`, and starts one when told to."""

    def __init__(
        self,
        relay: "Relay",
        loop: asyncio.AbstractEventLoop,
        control: socket.socket,
        listeners: list[socket.socket],
        when_done: Callable[[], None],
    ) -> None:
        self._relay = relay
        self._loop = loop
        self._control = control
        self._listeners = listeners
        self._when_done = when_done
        self._successor: subprocess.Popen[bytes] | None = None
        loop.add_reader(control.fileno(), self._offer)

    def start_successor(self) -> None:
        """Start the program that is installed now, as this one was started; it will ask for everything."""
        if self._successor is None or self._successor.poll() is not None:
            try:
                self._successor = subprocess.Popen([sys.executable, *sys.orig_argv[1:]])
            except OSError as error:
                log.error("no successor can be started: %s", error.strerror)

    def close(self) -> None:
        """Hand nothing over any more."""
        with contextlib.suppress(OSError):
            os.unlink(self._relay.config.handover)  # first: whoever comes after the end makes one of its own
        self._stop()

    def _stop(self) -> None:
        self._loop.remove_reader(self._control.fileno())
        self._control.close()

    def _offer(self) -> None:
        try:
            sock, _ = self._control.accept()
        except OSError:
            return
        heir, succession = Channel(sock), self._relay.succession
        guests = list(succession.guests())
        outcomes = [Kept(*kept) for kept in self._relay.books.kept()]
        estate = Estate(self._control, self._listeners, succession.predecessors, guests, outcomes)
        if not bequeath(heir, self._relay.rendezvous.running(), estate):
            heir.close()
            log.warning("a successor came and did not take over")
            return
        self._stop()
        succession.leave_to(heir, guests)
        self._relay.retire()
        self._when_done()
