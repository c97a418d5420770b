"""The contract that all movers keep, so that the same tests run on each.

A mover takes a sender's body from one socket and gives it to every sink in lockstep: nothing is read before every sink
took what was read before. It never blocks, and it relies on edge-triggered readiness: after `advance` returned False it
has met a full or an empty socket, and the next edge of that socket is the time to call again.
"""

import time
from typing import Protocol

from hoody_pipe.errors import ReceiverGone
from hoody_pipe.plane.sink import Sink

BUDGET = 8 << 20  # bytes that one call may move before others get their turn
TURN = 0.005  # seconds that it may take, whatever it moves: some bytes are more work than others


class Mover(Protocol):
    """Moves one body."""

    moved: int  # body bytes taken from the sender
    body_read: bool  # nothing more comes from the sender
    sinks: list[Sink]  # those that still want bytes or have them all
    lost: list[Sink]  # those that broke; whoever reads it empties it
    leftover: bytes  # once the body was read: what was read past it

    def advance(self) -> bool:
        """Move what can be moved now; True if the budget ended it, not a socket.

        With the last byte a sink is done at once, not at the next call: by then its receiver may have left in order.

        Raises:
            SenderGone: the body ended before its framing said so, or the sender's connection broke.
            BadFraming: the body's framing is malformed.
            Unsupported: this way of moving is impossible here; nothing is lost, another mover may go on from `moved`.
        """

    def drop(self, sink: Sink) -> None:
        """Go on without this sink."""

    def close(self) -> None:
        """Let go of everything that is held."""


class SinkSet:
    """What every mover does with its sinks; each adds how it pulls from the source and what a sink is owed."""

    def __init__(self, sinks: list[Sink]) -> None:
        self.sinks = sinks
        self.lost: list[Sink] = []
        self.moved = 0
        self.body_read = False
        self.leftover = b""

    def advance(self) -> bool:
        """See `Mover.advance`."""
        budget, limit = BUDGET, time.monotonic() + TURN
        is_over = False
        while self.flush_all() and not self.body_read and self.sinks:
            if is_over:
                return True
            pulled = self.pull()
            if not pulled:
                return False
            budget -= pulled * len(self.sinks)
            is_over = budget <= 0 or time.monotonic() > limit
        return False

    def pull(self) -> int:
        """Take bytes from the source; how many, 0 if there are none now."""
        raise NotImplementedError

    def drop(self, sink: Sink) -> None:
        """Go on without this sink."""
        if sink in self.sinks:
            self.sinks.remove(sink)

    def flush_all(self) -> bool:
        """Send what every sink is owed; say whether none of them owes anything.

        Once the body was read, a sink that owes nothing is done.
        """
        clear = True
        for sink in tuple(self.sinks):
            try:
                if not self.flush_one(sink):
                    clear = False
                elif self.body_read:
                    sink.done = True
            except ReceiverGone:
                self.lose(sink)
        return clear

    def flush_one(self, sink: Sink) -> bool:
        """Send what one sink is owed."""
        return sink.flush()

    def lose(self, sink: Sink) -> None:
        """Note that a sink broke."""
        self.drop(sink)
        self.lost.append(sink)
