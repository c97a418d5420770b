"""The pump: drives one mover by readiness and tells the core what came of it."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from hoody_pipe.core.pipe import BodyRead, IdleExpired, PartyLeft, SenderFailed
from hoody_pipe.core.progress import Measure
from hoody_pipe.errors import BadFraming, SenderGone, Unsupported
from hoody_pipe.plane.copy import SMALLEST_READ, Begun, Body, CopyMover
from hoody_pipe.plane.mover import Mover
from hoody_pipe.plane.sink import Sink
from hoody_pipe.plane.splice import SpliceMover
from hoody_pipe.plane.tee import TeeMover
from hoody_pipe.shell.parties import APART, Receiver, Sender
from hoody_pipe.shell.preamble import Preamble
from hoody_pipe.wire.chunked import ChunkedDecoder, CountedDecoder
from hoody_pipe.wire.multipart import FormDecoder

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
        self._receivers = list(receivers)  # those not lost
        self._receiver_of: dict[Sink, Receiver] = {}
        self._preamble: Preamble | None = None
        self._form_key = object()
        self._pause_key = object()
        self._is_paused = False
        self._mover: Mover | None = None
        self._is_awake = False
        self._is_untouched = True  # not one byte was moved
        self._has_ended = False
        self._has_told = False
        for party in (sender, *receivers):
            party.transfer = self
            relay.deadlines.cancel(party.connection)
        sender.stop_asking()
        if sender.boundary is None:
            self._open(Begun(leading=sender.connection.take_pending()))
        else:
            self._begin_form(sender.boundary)
        self._limit_silence(-1)
        if any(receiver.has_just_beaten for receiver in receivers):
            self._is_paused = True
            relay.deadlines.arm(self._pause_key, APART, self._resume)
        self.wake()

    @property
    def moved(self) -> int:
        """Body bytes taken from the sender."""
        return 0 if self._mover is None else self._mover.moved

    def measure(self) -> Measure:
        """How far it is now, or was at its end."""
        elapsed = (self.ended or time.monotonic()) - self._started
        return Measure(self.moved, elapsed, self.sender.total, self.sender.is_estimate, self.id)

    @property
    def awaits_arrival(self) -> bool:
        """Whether everything was handed to the kernel, and only the receivers know whether they took it."""
        return self._has_told and self._mover is not None and not self._mover.sinks

    def look_for_arrival(self) -> None:
        """Find out now what would be found out soon."""
        for receiver in list(self._receivers):
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
        if self._mover is not None:
            self._mover.close()
        self._relay.deadlines.cancel(self)
        self._relay.deadlines.cancel(self._form_key)
        self._relay.deadlines.cancel(self._pause_key)

    def dissolve(self) -> None:
        """Its name is free: let its parts go at once instead of when cycles are looked for."""
        for party in (self.sender, *self._receivers, *self._receiver_of.values()):
            party.transfer = None

    def lose(self, receiver: Receiver) -> None:
        """Go on without a receiver that left or was broken off."""
        if receiver in self._receivers:
            self._receivers.remove(receiver)
        if self._mover is None:
            return
        if receiver.sink is not None:
            self._mover.drop(receiver.sink)
        if self._mover.sinks:
            self.wake()
        else:
            self.stop()

    def _begin_form(self, boundary: str) -> None:
        """Read a form until the part shows that is to be sent."""
        config, sender = self._relay.config, self.sender
        form = FormDecoder(self._framing(repeats_chunks=False), boundary, config.multipart_text)
        self._preamble = Preamble(sender.connection.sock, form, sender.connection.take_pending(), self.wake)
        self._relay.deadlines.arm(self._form_key, config.multipart_wait, self._fail)

    def _pass_preamble(self, preamble: Preamble) -> bool:
        """Read on in the form; whether the part has shown, and the stream is open."""
        if not preamble.read():
            return False
        self._relay.deadlines.cancel(self._form_key)
        self._preamble = None
        self.sender.describe(preamble.form.chosen or {})
        self._open(Begun(leading=preamble.leftover, first=preamble.first), preamble.form)
        return True

    def _open(self, begun: Begun, form: FormDecoder | None = None) -> None:
        """Begin every receiver's response, and choose how the bytes are moved."""
        # receivers of HTTP/1.0 take no chunks, nor does a digest or a form: then everybody gets the data framed anew
        is_plain = self.digest is None and form is None
        repeats_chunks = is_plain and all(receiver.head.minor == 1 for receiver in self._receivers)
        sinks = [receiver.open(self.sender, self.id, repeats_chunks) for receiver in self._receivers]
        self._receiver_of = dict(zip(sinks, self._receivers, strict=True))
        source, length = self.sender.connection.sock, self._length
        if length is None or length <= SMALLEST_READ or begun.leading or not is_plain:
            body: Body = self._framing(repeats_chunks) if form is None else form
            self._mover = CopyMover(source, sinks, body, self._relay.scratch, begun, self.digest)
        elif len(sinks) == 1:
            self._mover = SpliceMover(source, sinks[0], length, self._relay.pipes)
        else:
            self._mover = TeeMover(source, sinks, length, self._relay.pipes)

    def _framing(self, repeats_chunks: bool) -> ChunkedDecoder | CountedDecoder:
        return ChunkedDecoder(repeats_chunks) if self._length is None else CountedDecoder(self._length)

    def _fall_back(self, old: Mover) -> Mover:
        """Let the copy mover go on where the kernel's own ways end."""
        body: Body = CountedDecoder((self._length or 0) - old.moved)
        mover = CopyMover(self.sender.connection.sock, old.sinks, body, self._relay.scratch, Begun(old.moved))
        mover.lost = old.lost
        return mover

    def _advance(self) -> None:
        self._is_awake = False
        if self._has_ended or self._is_paused:
            return
        try:
            if self._preamble is not None and not self._pass_preamble(self._preamble):
                return
            more = self._move()
        except SenderGone:
            self._fail(ended=True)
            return
        except BadFraming:
            self._fail()
            return
        if more:
            self.wake()

    def _resume(self) -> None:
        self._is_paused = False
        self.wake()

    def _move(self) -> bool:
        """Move what can be moved now; whether there is more."""
        mover = self._mover
        if mover is None:
            return False
        try:
            more = mover.advance()
        except Unsupported:
            mover = self._mover = self._fall_back(mover)
            more = True
        if self._is_untouched and self.moved:
            self._is_untouched = False
            self._relay.count_first_byte(time.monotonic() - self._started)
        self._tell_losses(mover)
        if mover.body_read and not self._has_ended:
            self._tell_end(mover)
        return more

    def _fail(self, ended: bool = False) -> None:
        self._relay.report(SenderFailed(self.sender.name, ended))

    def _tell_losses(self, mover: Mover) -> None:
        lost, mover.lost = mover.lost, []
        for sink in lost:
            receiver = self._receiver_of[sink]
            receiver.connection.reset()
            self._relay.report(PartyLeft(receiver.name, receiver))

    def _tell_end(self, mover: Mover) -> None:
        if not self._has_told:
            self._has_told = True
            self.sender.connection.put_back(mover.leftover)
            digest = None if self.digest is None else self.digest.hexdigest()
            self._relay.report(BodyRead(self.sender.name, digest))
        for sink in [sink for sink in mover.sinks if sink.done]:
            mover.drop(sink)
            self._receiver_of[sink].finish(self._relay.config.grace)
        if not mover.sinks:
            self.stop()

    def _limit_silence(self, moved_before: int) -> None:
        """Arm the operator's limit on silence, if there is one: it passes when nothing moved since it was armed."""
        seconds = self._relay.config.idle_timeout
        if moved_before == self.moved:
            self._relay.report(IdleExpired(self.sender.name))
        elif seconds:
            moved = self.moved
            self._relay.deadlines.arm(self, seconds, lambda: self._limit_silence(moved))
