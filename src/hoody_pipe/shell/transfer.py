"""The pump: drives one mover by readiness and tells the core what came of it."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from hoody_pipe.core.pipe import BodyRead, IdleExpired, PartyLeft, SenderFailed
from hoody_pipe.core.progress import Measure
from hoody_pipe.errors import BadFraming, SenderGone, Unsupported
from hoody_pipe.plane.copy import SMALLEST_READ, Body, CopyMover
from hoody_pipe.plane.mover import Mover
from hoody_pipe.plane.sink import Sink
from hoody_pipe.plane.splice import SpliceMover
from hoody_pipe.plane.tee import TeeMover
from hoody_pipe.shell.parties import Receiver, Sender
from hoody_pipe.wire.chunked import ChunkedDecoder, CountedDecoder

if TYPE_CHECKING:
    from hoody_pipe.shell.relay import Relay


class Transfer:
    """One running transfer."""

    def __init__(self, relay: "Relay", sender: Sender, receivers: tuple[Receiver, ...], hashes: bool) -> None:
        self.id = sender.transfer_id or str(uuid4())
        self.sender = sender
        self.digest = relay.hasher.start() if hashes else None
        self.when_over: list[Callable[[], None]] = []
        self.ended: float | None = None  # on the monotonic clock, in seconds
        self._started = time.monotonic()
        self._relay = relay
        self._length = sender.head.length
        # receivers of HTTP/1.0 take no chunks, nor does a digest: then everybody gets the data framed anew
        repeats_chunks = not hashes and all(receiver.head.minor == 1 for receiver in receivers)
        sinks = [receiver.open(sender, self.id, repeats_chunks) for receiver in receivers]
        self._receivers = dict(zip(sinks, receivers, strict=True))
        self._mover = self._choose_mover(sinks, repeats_chunks)
        self._is_awake = False
        self._is_untouched = True  # not one byte was moved
        self._has_ended = False
        self._has_told = False
        for party in (sender, *receivers):
            party.transfer = self
            relay.deadlines.cancel(party.connection)
        sender.stop_asking()
        self._limit_silence(-1)
        self.wake()

    @property
    def moved(self) -> int:
        """Body bytes taken from the sender."""
        return self._mover.moved

    def measure(self) -> Measure:
        """How far it is now, or was at its end."""
        elapsed = (self.ended or time.monotonic()) - self._started
        return Measure(self.moved, elapsed, self.sender.total, self.sender.is_estimate, self.id)

    @property
    def awaits_arrival(self) -> bool:
        """Whether everything was handed to the kernel, and only the receivers know whether they took it."""
        return self._has_told and not self._mover.sinks

    def look_for_arrival(self) -> None:
        """Find out now what would be found out soon."""
        for receiver in self._receivers.values():
            if receiver.transfer is self and receiver.connection.occupant is receiver:
                receiver.ready(0)

    def wake(self) -> None:
        """Move what can be moved, soon."""
        if not self._is_awake:
            self._is_awake = True
            self._relay.poller.soon(self._advance)

    def stop(self) -> None:
        """Move no more."""
        self._has_ended = True
        self._mover.close()
        self._relay.deadlines.cancel(self)

    def lose(self, receiver: Receiver) -> None:
        """Go on without a receiver that left or was broken off."""
        if receiver.sink is not None:
            self._mover.drop(receiver.sink)
        if self._mover.sinks:
            self.wake()
        else:
            self.stop()

    def _choose_mover(self, sinks: list[Sink], repeats_chunks: bool) -> Mover:
        source, length = self.sender.connection.sock, self._length
        leading = self.sender.connection.take_pending()
        if length is None or length <= SMALLEST_READ or leading or self.digest is not None:
            body: Body = ChunkedDecoder(repeats_chunks) if length is None else CountedDecoder(length)
            return CopyMover(source, sinks, body, self._relay.scratch, leading=leading, digest=self.digest)
        if len(sinks) == 1:
            return SpliceMover(source, sinks[0], length, self._relay.pipes)
        return TeeMover(source, sinks, length, self._relay.pipes)

    def _fall_back(self) -> None:
        """Let the copy mover go on where the kernel's own ways end."""
        old = self._mover
        body: Body = CountedDecoder((self._length or 0) - old.moved)
        self._mover = CopyMover(self.sender.connection.sock, old.sinks, body, self._relay.scratch, moved=old.moved)
        self._mover.lost = old.lost

    def _advance(self) -> None:
        self._is_awake = False
        if self._has_ended:
            return
        try:
            more = self._mover.advance()
        except Unsupported:
            self._fall_back()
            more = True
        except (SenderGone, BadFraming):
            self._relay.report(SenderFailed(self.sender.name))
            return
        if self._is_untouched and self.moved:
            self._is_untouched = False
            self._relay.count_first_byte(time.monotonic() - self._started)
        self._tell_losses()
        if self._mover.body_read and not self._has_ended:
            self._tell_end()
        if more:
            self.wake()

    def _tell_losses(self) -> None:
        lost, self._mover.lost = self._mover.lost, []
        for sink in lost:
            receiver = self._receivers[sink]
            receiver.connection.reset()
            self._relay.report(PartyLeft(receiver.name, receiver))

    def _tell_end(self) -> None:
        if not self._has_told:
            self._has_told = True
            self.sender.connection.put_back(self._mover.leftover)
            digest = None if self.digest is None else self.digest.hexdigest()
            self._relay.report(BodyRead(self.sender.name, digest))
        for sink in [sink for sink in self._mover.sinks if sink.done]:
            self._mover.drop(sink)
            self._receivers[sink].finish(self._relay.config.grace)
        if not self._mover.sinks:
            self.stop()

    def _limit_silence(self, moved_before: int) -> None:
        """Arm the operator's limit on silence, if there is one: it passes when nothing moved since it was armed."""
        seconds = self._relay.config.idle_timeout
        if moved_before == self.moved:
            self._relay.report(IdleExpired(self.sender.name))
        elif seconds:
            moved = self.moved
            self._relay.deadlines.arm(self, seconds, lambda: self._limit_silence(moved))
