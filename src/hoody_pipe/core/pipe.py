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
    """A sender asked for the name; `wait` in seconds."""

    name: str
    party: Party
    n: int
    wait: float
    require_any: bool = False


@dataclass(slots=True)
class ReceiverArrived:
    """A receiver asked for the name; `wait` in seconds."""

    name: str
    party: Party
    n: int
    wait: float


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
    """The sender is still connected, but its body is malformed."""

    name: str


@dataclass(slots=True)
class BodyRead:
    """The sender's body was read to its end."""

    name: str


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


@dataclass(slots=True)
class Forget:
    """The name is free."""

    name: str


Action = Refuse | Tell | Arm | StartMove | StopMove | EndClean | Break | Forget


class Pipe:
    """One name in use: its parties and where they stand."""

    def __init__(self, name: str, n: int) -> None:
        self.name = name
        self.n = n
        self.state = State.WAITING
        self.sender: Party | None = None
        self.require_any = False
        self.receivers: dict[Party, None] = {}  # those not yet delivered, in order of arrival
        self.delivered = 0
        self.lost = 0

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
    def is_deserted(self) -> bool:
        """Whether no party is left at all."""
        return self.sender is None and not self.receivers

    def _has(self, party: Party) -> bool:
        return party in self.receivers or (party is not None and party == self.sender)

    # WAITING

    def admit_sender(self, event: SenderArrived) -> list[Action]:
        if self.sender is not None:
            return [Refuse(event.party, Refusal(400, messages.sender_exists(self.name)))]
        if event.n != self.n:
            return [Refuse(event.party, Refusal(400, messages.count_mismatch(self.n, event.n)))]
        self.sender, self.require_any = event.party, event.require_any
        actions: list[Action] = [Tell(event.party, messages.waiting(self.n))]
        if self.receivers:
            actions.append(Tell(event.party, messages.already_connected(len(self.receivers))))
        if len(self.receivers) < self.n:
            actions.append(Arm(event.party, event.wait))
        return actions

    def admit_receiver(self, event: ReceiverArrived) -> list[Action]:
        if event.n != self.n:
            return [Refuse(event.party, Refusal(400, messages.count_mismatch(self.n, event.n)))]
        if len(self.receivers) == self.n:
            return [Refuse(event.party, Refusal(400, messages.slots_taken(self.name, self.n)))]
        self.receivers[event.party] = None
        if self.sender is not None and len(self.receivers) == self.n:
            return []
        return [Arm(event.party, event.wait)]

    def leave_waiting(self, event: PartyLeft) -> list[Action]:
        if event.party == self.sender:
            self.sender = None
            return self._forget_if_deserted()
        return self._remove_waiting_receiver(event.party)

    def expire_waiting(self, event: WaitExpired) -> list[Action]:
        if event.party == self.sender:
            self.sender = None
            told: list[Action] = [Tell(event.party, messages.TIMED_OUT_RECEIVERS), Break(event.party, 410)]
            return told + self._forget_if_deserted()
        waited_for = messages.TIMED_OUT_SENDER if self.sender is None else messages.TIMED_OUT_RECEIVERS
        return [Refuse(event.party, Refusal(408, waited_for)), *self._remove_waiting_receiver(event.party)]

    def _remove_waiting_receiver(self, party: Party) -> list[Action]:
        del self.receivers[party]
        if self.sender is not None:
            return [Tell(self.sender, messages.RECEIVER_LEFT)]
        return self._forget_if_deserted()

    def _forget_if_deserted(self) -> list[Action]:
        return [Forget(self.name)] if self.is_deserted else []

    def shut_down(self) -> list[Action]:
        """Turn a waiting pipe's parties away; a running transfer goes on."""
        if self.state is not State.WAITING:
            return []
        actions: list[Action] = [Refuse(party, Refusal(503, messages.SHUTTING_DOWN)) for party in self.receivers]
        if self.sender is not None:
            actions += [Tell(self.sender, messages.SHUTTING_DOWN), Break(self.sender, 410)]
        return [*actions, Forget(self.name)]

    def _start(self, at_capacity: bool) -> list[Action]:
        sender, receivers = self.sender, tuple(self.receivers)
        if at_capacity:
            refusal = Refusal(429, messages.RETRY_CAPACITY)
            turned_away: list[Action] = [Refuse(receiver, refusal) for receiver in receivers]
            return [*turned_away, Tell(sender, messages.AT_CAPACITY), Break(sender, 409), Forget(self.name)]
        self.state = State.STREAMING
        return [Tell(sender, messages.streaming(self.n)), StartMove(sender, receivers)]

    # STREAMING and FINISHING

    def refuse_arrival(self, event: SenderArrived | ReceiverArrived) -> list[Action]:
        return [Refuse(event.party, Refusal(400, messages.in_use(self.name)))]

    def leave_streaming(self, event: PartyLeft) -> list[Action]:
        if event.party == self.sender:
            return [StopMove(event.party), *self._break_receivers(), Forget(self.name)]
        return self.lose_receiver(event)

    def leave_finishing(self, event: PartyLeft) -> list[Action]:
        if event.party == self.sender:
            self.sender = None  # its body is complete: the receivers still get their clean end
            return []
        return self.lose_receiver(event)

    def lose_receiver(self, event: PartyLeft) -> list[Action]:
        del self.receivers[event.party]
        self.lost += 1
        if self.lost == self.n:
            stop: list[Action] = [] if self.state is State.FINISHING else [StopMove(self.sender)]
            return [*stop, *self._break_sender(messages.ALL_RECEIVERS_LEFT, 409), Forget(self.name)]
        told: list[Action] = [] if self.sender is None else [Tell(self.sender, messages.RECEIVER_LEFT)]
        return told + self._finish_if_done()

    def fail(self, line: str) -> list[Action]:
        stop: list[Action] = [] if self.state is State.FINISHING else [StopMove(self.sender)]
        return [*stop, *self._break_receivers(), *self._break_sender(line), Forget(self.name)]

    def fail_sender(self, event: SenderFailed) -> list[Action]:
        return self.fail(messages.SENDER_FAILED)

    def fail_idle(self, event: IdleExpired) -> list[Action]:
        return self.fail(messages.IDLE)

    def finish_body(self, event: BodyRead) -> list[Action]:
        self.state = State.FINISHING
        return [Tell(self.sender, messages.UPLOAD_COMPLETE)]

    def deliver(self, event: Delivered) -> list[Action]:
        del self.receivers[event.party]
        self.delivered += 1
        return self._finish_if_done()

    def _finish_if_done(self) -> list[Action]:
        if self.receivers:
            return []
        if self.sender is None:
            return [Forget(self.name)]
        if self.lost and not self.require_any:
            return [*self._break_sender(messages.incomplete(self.lost, self.n), 409), Forget(self.name)]
        return [Tell(self.sender, messages.TRANSFER_COMPLETE), EndClean(self.sender), Forget(self.name)]

    def _break_receivers(self) -> list[Action]:
        return [Break(receiver) for receiver in self.receivers]

    def _break_sender(self, line: str, status: int = 400) -> list[Action]:
        return [] if self.sender is None else [Tell(self.sender, line), Break(self.sender, status)]


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
