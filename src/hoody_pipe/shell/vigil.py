"""Finds peers that vanished, and lets those stall that live (protocol Z.3)."""

import time
from collections import deque
from collections.abc import Collection

from hoody_pipe.plane import life
from hoody_pipe.shell.connection import Connection
from hoody_pipe.shell.deadlines import Deadlines
from hoody_pipe.shell.guard import guarded
from hoody_pipe.shell.parties import Receiver
from hoody_pipe.shell.poller import Poller

AT_ONCE = 256  # connections that are looked at before others get their turn


class Vigil:
    """Looks at all connections that are being served, a dozen times in `dead_after` seconds.

    So a transfer that ends in between costs nothing, and nothing has to be set up or ended with it.
    """

    def __init__(
        self, connections: Collection[Connection], poller: Poller, deadlines: Deadlines, dead_after: float
    ) -> None:
        self._connections = connections
        self._poller = poller
        self._deadlines = deadlines
        self._dead_after = dead_after
        self._to_see: deque[Connection] = deque()
        self._since: dict[Connection, float] = {}  # when its questions were first seen to be unanswered
        self._since_before: dict[Connection, float] = {}  # the same, as of the last round
        self._rest()

    def _rest(self) -> None:
        self._deadlines.arm(self, self._dead_after * life.PERIOD, self._begin)

    def _begin(self) -> None:
        self._to_see.extend(self._connections)
        self._since_before, self._since = self._since, {}
        self._go_on()

    def _go_on(self) -> None:
        for _ in range(min(AT_ONCE, len(self._to_see))):
            guarded(self._look_at, self._to_see.popleft())
        if self._to_see:
            self._poller.soon(self._go_on)
        else:
            self._rest()

    def _look_at(self, connection: Connection) -> None:
        if connection.occupant is None:
            return  # closed, or soon to be closed if it stays idle
        if isinstance(connection.occupant, Receiver):
            connection.occupant.may_stall()
        now = time.monotonic()
        questions, silent = life.unanswered(connection.sock)
        since = self._since_before.get(connection, now)
        if now - silent > since:
            since = now
        if life.is_dead(questions, silent, now - since, self._dead_after):
            connection.abandon()
        elif questions:
            self._since[connection] = since
