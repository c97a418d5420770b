"""The life of one name, from its first party to its last: every rule about state is in this file.

    WAITING ──all here──▶ STREAMING ──body read──▶ FINISHING ──all delivered──▶ (forgotten)

Events are facts the shell saw, actions are what it must do; `TABLE` says which pair is handled how, and `IGNORED` which
pairs mean nothing, so that no pair is undecided. A party is an opaque token of the shell's: this file does not know
whether it is a socket, an HTTP/1.0 client or another node, and it never sees a byte or a clock.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import IntEnum, auto

from hoody_pipe.core import messages
from hoody_pipe.errors import Refusal

Party = Hashable


class State(IntEnum):  # hashed for every event, which a plain Enum does slowly
    """Where a pipe stands."""

    WAITING = auto()
    STREAMING = auto()
    FINISHING = auto()


# --- events: what happened -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class SenderArrived:
    """A sender asked for the name; `wait` in seconds; `transfer` is an id of its own choice.

    `is_informed` says that it was told its first lines before: it waited at a server that handed over to this one.
    """

    name: str
    party: Party
    n: int
    wait: float
    require_any: bool = False
    sha256: bool = False
    transfer: str | None = None
    is_informed: bool = False


@dataclass(slots=True)
class ReceiverArrived:
    """A receiver asked for the name; `wait` in seconds."""

    name: str
    party: Party
    n: int
    wait: float
    sha256: bool = False


@dataclass(slots=True)
class PartyLeft:
    """A party's connection ended or broke."""

    name: str
    party: Party


@dataclass(slots=True)
class WaitExpired:
    """A party's own `wait` has passed."""

    name: str
    party: Party


@dataclass(slots=True)
class SenderFailed:
    """The sender's body is malformed, or `ended` before it was complete; its connection may still take a last line."""

    name: str
    ended: bool = False


@dataclass(slots=True)
class BodyRead:
    """The sender's body was read to its end; `sha256` is its digest in hex if that was asked for."""

    name: str
    sha256: str | None = None


@dataclass(slots=True)
class Delivered:
    """Every byte, and the end, arrived at this receiver."""

    name: str
    party: Party


@dataclass(slots=True)
class IdleExpired:
    """The operator's limit on silence has passed."""

    name: str


Event = SenderArrived | ReceiverArrived | PartyLeft | WaitExpired | SenderFailed | BodyRead | Delivered | IdleExpired


# --- actions: what to do ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Refuse:
    """Answer this party with a final refusal; it is no longer part of the pipe."""

    party: Party
    refusal: Refusal


@dataclass(slots=True)
class Tell:
    """Send the sender one status line now."""

    party: Party
    line: str


@dataclass(slots=True)
class Arm:
    """Report WaitExpired for this party after so many seconds, unless it started or left."""

    party: Party
    seconds: float


@dataclass(slots=True)
class StartMove:
    """Everybody is here: move the sender's body to the receivers."""

    sender: Party
    receivers: tuple[Party, ...]
    hashes: bool = False


@dataclass(slots=True)
class StopMove:
    """Stop moving: the transfer has failed."""

    sender: Party


@dataclass(slots=True)
class EndClean:
    """End the sender's response as a success."""

    party: Party


@dataclass(slots=True)
class Break:
    """End this party's response so that an unmodified curl fails (protocol Z.2).

    `status` is for a sender whose response has not begun (HTTP/1.0); none of those used makes a client retry.
    """

    party: Party
    status: int = 400


@dataclass(frozen=True, slots=True)
class Ending:
    """How a transfer, or what never became one, ended.

    `reason` is None when every byte arrived; then who was connected at that moment; `transfer` is the sender's own id.
    """

    reason: str | None
    has_sender: bool
    receivers: int
    n: int
    sha256: str | None = None
    transfer: str | None = None


@dataclass(slots=True)
class Conclude:
    """A sender's attempt is over; comes before what ends its response."""

    name: str
    ending: Ending


@dataclass(slots=True)
class Forget:
    """The name is free; `ending` is None when nothing ended but the waiting of receivers that left."""

    name: str
    ending: Ending | None


Action = Refuse | Tell | Arm | StartMove | StopMove | EndClean | Break | Conclude | Forget


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a name stands, as one who watches sees it; `state` is None for a name that is not in use."""

    state: State | None
    has_sender: bool
    receivers: int
    n: int


IDLE = Standing(None, False, 0, 0)


class Pipe:
    """One name in use: its parties and where they stand."""

    def __init__(self, name: str, n: int) -> None:
        self.name = name
        self.n = n
        self.state = State.WAITING
        self.sender: Party | None = None
        self.require_any = False
        self.transfer: str | None = None  # the sender's own id
        self.receivers: dict[Party, bool] = {}  # those not yet delivered, in order of arrival; who wants a digest
        self.delivered = 0
        self.lost = 0
        self._hashes = False
        self._sha256: str | None = None

    def handle(self, event: Event, at_capacity: bool = False) -> list[Action]:
        """Take one event; `at_capacity` says that no further transfer may start."""
        key = (self.state, type(event))
        if key in IGNORED or (type(event) in OF_MEMBERS and not self._has(event.party)):  # type: ignore[union-attr]
            return []
        actions = TABLE[key](self, event)
        if self.state is State.WAITING and self.sender is not None and len(self.receivers) == self.n:
            actions += self._start(at_capacity)
        return actions

    @property
    def standing(self) -> Standing:
        """Who is here now."""
        return Standing(self.state, self.sender is not None, len(self.receivers) + self.delivered, self.n)

    def _has(self, party: Party) -> bool:
        return party in self.receivers or (party is not None and party == self.sender)

    # WAITING

    def admit_sender(self, event: SenderArrived) -> list[Action]:
        if self.sender is not None:
            return [Refuse(event.party, Refusal(400, messages.sender_exists(self.name)))]
        if event.n != self.n:
            return [Refuse(event.party, Refusal(400, messages.count_mismatch(self.n, event.n)))]
        self.sender, self.require_any = event.party, event.require_any
        self.transfer, self._hashes = event.transfer, event.sha256
        actions: list[Action] = [] if event.is_informed else [Tell(event.party, messages.waiting(self.n))]
        if self.receivers and not event.is_informed:
            actions.append(Tell(event.party, messages.already_connected(len(self.receivers))))
        if len(self.receivers) < self.n:
            actions.append(Arm(event.party, event.wait))
        return actions

    def admit_receiver(self, event: ReceiverArrived) -> list[Action]:
        if event.n != self.n:
            return [Refuse(event.party, Refusal(400, messages.count_mismatch(self.n, event.n)))]
        if len(self.receivers) == self.n:
            return [Refuse(event.party, Refusal(400, messages.slots_taken(self.name, self.n)))]
        self.receivers[event.party] = event.sha256
        if self.sender is not None and len(self.receivers) == self.n:
            return []
        return [Arm(event.party, event.wait)]

    def leave_waiting(self, event: PartyLeft) -> list[Action]:
        if event.party == self.sender:
            return self._remove_waiting_sender(messages.SENDER_LEFT, messages.SENDER_LEFT)
        return self._remove_waiting_receiver(event.party, None)

    def expire_waiting(self, event: WaitExpired) -> list[Action]:
        if event.party == self.sender:
            told: list[Action] = [Tell(event.party, messages.TIMED_OUT_RECEIVERS)]
            left = self._remove_waiting_sender(messages.NO_RECEIVERS_CAME, messages.TIMED_OUT)
            return [*told, *left, Break(event.party, 410)]
        waited_for = messages.TIMED_OUT_SENDER if self.sender is None else messages.TIMED_OUT_RECEIVERS
        left = self._remove_waiting_receiver(event.party, messages.TIMED_OUT)
        return [Refuse(event.party, Refusal(408, waited_for)), *left]

    def _remove_waiting_sender(self, reason: str, reason_of_pipe: str) -> list[Action]:
        """Let receivers wait on; with nobody left, the pipe itself has failed."""
        concluded: list[Action] = [Conclude(self.name, self._ending(reason))]
        of_pipe = self._ending(reason_of_pipe)
        self.sender = self.transfer = None
        return concluded if self.receivers else [*concluded, Forget(self.name, of_pipe)]

    def _remove_waiting_receiver(self, party: Party, reason: str | None) -> list[Action]:
        ending = None if reason is None else self._ending(reason)
        del self.receivers[party]
        if self.sender is not None:
            return [Tell(self.sender, messages.RECEIVER_LEFT)]
        return [] if self.receivers else [Forget(self.name, ending)]

    def shut_down(self) -> list[Action]:
        """Turn a waiting pipe's parties away; a running transfer goes on."""
        if self.state is not State.WAITING:
            return []
        refusal = Refusal(503, messages.SHUTTING_DOWN)
        return self._turn_away(refusal, messages.SHUTTING_DOWN, self._ending(messages.STOPPED), 410)

    def _start(self, at_capacity: bool) -> list[Action]:
        sender, receivers = self.sender, tuple(self.receivers)
        if at_capacity:
            refusal = Refusal(429, messages.RETRY_CAPACITY)
            return self._turn_away(refusal, messages.AT_CAPACITY, self._ending(messages.NO_CAPACITY), 409)
        self.state = State.STREAMING
        hashes = self._hashes or any(self.receivers.values())
        return [Tell(sender, messages.streaming(self.n)), StartMove(sender, receivers, hashes)]

    def _turn_away(self, refusal: Refusal, line: str, ending: Ending, status: int) -> list[Action]:
        actions: list[Action] = [Refuse(receiver, refusal) for receiver in self.receivers]
        if self.sender is not None:
            actions += [Tell(self.sender, line), Conclude(self.name, ending), Break(self.sender, status)]
        return [*actions, Forget(self.name, ending)]

    # STREAMING and FINISHING

    def refuse_arrival(self, event: SenderArrived | ReceiverArrived) -> list[Action]:
        return [Refuse(event.party, Refusal(400, messages.in_use(self.name)))]

    def leave_streaming(self, event: PartyLeft) -> list[Action]:
        if event.party == self.sender:
            ending = self._ending(messages.SENDER_LEFT)
            gone: list[Action] = [StopMove(event.party), Conclude(self.name, ending)]
            return [*gone, *self._break_receivers(), Forget(self.name, ending)]
        return self.lose_receiver(event)

    def leave_finishing(self, event: PartyLeft) -> list[Action]:
        if event.party == self.sender:
            self.sender = None  # its body is complete: the receivers still get their clean end
            return []
        return self.lose_receiver(event)

    def lose_receiver(self, event: PartyLeft) -> list[Action]:
        ending = self._ending(messages.RECEIVERS_GONE)
        del self.receivers[event.party]
        self.lost += 1
        if self.lost == self.n:
            stop: list[Action] = [] if self.state is State.FINISHING else [StopMove(self.sender)]
            return [
                *stop,
                *self._end([Tell(self.sender, messages.ALL_RECEIVERS_LEFT), Break(self.sender, 409)], ending),
            ]
        told: list[Action] = [] if self.sender is None else [Tell(self.sender, messages.RECEIVER_LEFT)]
        return told + self._finish_if_done()

    def fail(self, line: str, reason: str) -> list[Action]:
        stop: list[Action] = [] if self.state is State.FINISHING else [StopMove(self.sender)]
        ended = self._end([Tell(self.sender, line), Break(self.sender)], self._ending(reason))
        return [*stop, *self._break_receivers(), *ended]

    def fail_sender(self, event: SenderFailed) -> list[Action]:
        return self.fail(messages.SENDER_FAILED, messages.SENDER_LEFT if event.ended else messages.SENDER_ERROR)

    def fail_idle(self, event: IdleExpired) -> list[Action]:
        return self.fail(messages.IDLE, messages.IDLE_REASON)

    def abort(self) -> list[Action]:
        """Break a running transfer: the server stops."""
        return self.fail(messages.SHUTTING_DOWN, messages.STOPPED)

    def finish_body(self, event: BodyRead) -> list[Action]:
        self.state = State.FINISHING
        self._sha256 = event.sha256
        return [Tell(self.sender, messages.UPLOAD_COMPLETE)]

    def deliver(self, event: Delivered) -> list[Action]:
        del self.receivers[event.party]
        self.delivered += 1
        return self._finish_if_done()

    def _finish_if_done(self) -> list[Action]:
        if self.receivers:
            return []
        if self.lost and not self.require_any:
            told: list[Action] = [Tell(self.sender, messages.incomplete(self.lost, self.n)), Break(self.sender, 409)]
            return self._end(told, self._ending(messages.incomplete_reason(self.lost, self.n)))
        told = [Tell(self.sender, messages.TRANSFER_COMPLETE), EndClean(self.sender)]
        if self._sha256 is not None:
            told.insert(0, Tell(self.sender, messages.sha256(self._sha256)))
        return self._end(told, self._ending(None))

    def _break_receivers(self) -> list[Action]:
        return [Break(receiver) for receiver in self.receivers]

    def _end(self, of_sender: list[Action], ending: Ending) -> list[Action]:
        """Close the books, then end the sender's response if it is still there."""
        told = of_sender if self.sender is not None else []
        return [Conclude(self.name, ending), *told, Forget(self.name, ending)]

    def _ending(self, reason: str | None) -> Ending:
        here = len(self.receivers) + self.delivered
        return Ending(reason, self.sender is not None, here, self.n, None if reason else self._sha256, self.transfer)


OF_MEMBERS = frozenset({PartyLeft, WaitExpired, Delivered})  # events that mean nothing when they come from a stranger

TABLE: dict[tuple[State, type[Event]], Callable[..., list[Action]]] = {
    (State.WAITING, SenderArrived): Pipe.admit_sender,
    (State.WAITING, ReceiverArrived): Pipe.admit_receiver,
    (State.WAITING, PartyLeft): Pipe.leave_waiting,
    (State.WAITING, WaitExpired): Pipe.expire_waiting,
    (State.STREAMING, SenderArrived): Pipe.refuse_arrival,
    (State.STREAMING, ReceiverArrived): Pipe.refuse_arrival,
    (State.STREAMING, PartyLeft): Pipe.leave_streaming,
    (State.STREAMING, SenderFailed): Pipe.fail_sender,
    (State.STREAMING, BodyRead): Pipe.finish_body,
    (State.STREAMING, IdleExpired): Pipe.fail_idle,
    (State.FINISHING, SenderArrived): Pipe.refuse_arrival,
    (State.FINISHING, ReceiverArrived): Pipe.refuse_arrival,
    (State.FINISHING, PartyLeft): Pipe.leave_finishing,
    (State.FINISHING, Delivered): Pipe.deliver,
    (State.FINISHING, IdleExpired): Pipe.fail_idle,
}

IGNORED: frozenset[tuple[State, type[Event]]] = frozenset(
    {
        # no bytes move while parties wait, and a body is read only once
        (State.WAITING, SenderFailed),
        (State.WAITING, BodyRead),
        (State.WAITING, Delivered),
        (State.WAITING, IdleExpired),
        (State.FINISHING, SenderFailed),
        (State.FINISHING, BodyRead),
        # a receiver is complete only after the body was read
        (State.STREAMING, Delivered),
        # `wait` limits waiting only (protocol Z.3)
        (State.STREAMING, WaitExpired),
        (State.FINISHING, WaitExpired),
    }
)
