"""Who meets whom: the registry of names in use, and the two caps on it.

Every name is a `Pipe`; this module finds it, makes it, and drops it when the pipe says Forget. It holds no rule about
what happens inside one name.
"""

from collections.abc import Callable, Iterable

from hoody_pipe.core import messages
from hoody_pipe.core.limits import Limits
from hoody_pipe.core.pipe import (
    IDLE,
    Action,
    Conclude,
    Event,
    Forget,
    Party,
    Pipe,
    ReceiverArrived,
    Refuse,
    SenderArrived,
    Standing,
    StartMove,
    State,
)
from hoody_pipe.errors import Refusal


class Rendezvous:
    """All names in use on this server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pipes: dict[str, Pipe] = {}
        self._transfers: set[str] = set()  # the ids that senders here have chosen
        self._active = 0
        self._closed = False
        self._elsewhere: set[str] = set()  # names in use at a server that hands over to this one

    @property
    def waiting(self) -> int:
        """How many pipes wait for parties."""
        return len(self._pipes) - self._active

    @property
    def active(self) -> int:
        """How many transfers run."""
        return self._active

    def waiting_sender(self, name: str) -> Party | None:
        """The sender that waits on a name, if there is one."""
        pipe = self._pipes.get(name)
        return pipe.sender if pipe is not None and pipe.state is State.WAITING else None

    def standing(self, name: str) -> Standing:
        """Where a name stands."""
        pipe = self._pipes.get(name)
        return IDLE if pipe is None else pipe.standing

    def is_in_use(self, name: str) -> bool:
        """Whether there is a pipe on a name."""
        return name in self._pipes

    def has_transfer(self, transfer: str) -> bool:
        """Whether a sender that is here has chosen this id."""
        return transfer in self._transfers

    def handle(self, event: Event) -> list[Action]:
        """Take one event, return what to do, in order. An event for a name that is not in use means nothing."""
        pipe = self._pipes.get(event.name)
        if isinstance(event, (SenderArrived, ReceiverArrived)):  # a union would be slower
            if self._closed:
                return [Refuse(event.party, Refusal(503, messages.SHUTTING_DOWN))]
            if event.name in self._elsewhere:
                return [Refuse(event.party, Refusal(400, messages.in_use(event.name)))]
            if pipe is None:
                if self.waiting >= self._limits.waiting:
                    return [Refuse(event.party, Refusal(429, messages.TOO_MANY_PENDING))]
                pipe = self._pipes[event.name] = Pipe(event.name, event.n)
        if pipe is None:
            return []
        actions = pipe.handle(event, at_capacity=self._active >= self._limits.active)
        if pipe.transfer is not None:
            self._transfers.add(pipe.transfer)
        self._settle(pipe, actions)
        return actions

    def shut_down(self) -> list[Action]:
        """Turn away all who wait and all who come from now on; running transfers go on."""
        self._closed = True
        return self._for_each(Pipe.shut_down)

    def abort(self) -> list[Action]:
        """Break the transfers that still run after `shut_down` or `release`."""
        return self._for_each(Pipe.abort)

    def release(self) -> None:
        """Forget all who wait: another server goes on with them, and with all who come from now on."""
        self._closed = True
        self._pipes = {name: self._pipes[name] for name in self.running()}

    def running(self) -> list[str]:
        """The names of all running transfers."""
        return [name for name, pipe in self._pipes.items() if pipe.state is not State.WAITING]

    def occupy(self, names: Iterable[str]) -> None:
        """Refuse these names, for a transfer runs on each of them at another server."""
        self._elsewhere.update(names)

    def vacate(self, names: Iterable[str]) -> None:
        """Give these names free again."""
        self._elsewhere.difference_update(names)

    def is_elsewhere(self, name: str) -> bool:
        """Whether a name is in use at another server, as far as is known."""
        return name in self._elsewhere

    def _for_each(self, end: Callable[[Pipe], list[Action]]) -> list[Action]:
        actions: list[Action] = []
        for pipe in list(self._pipes.values()):
            ended = end(pipe)
            self._settle(pipe, ended)
            actions += ended
        return actions

    def _settle(self, pipe: Pipe, actions: list[Action]) -> None:
        for action in actions:
            kind = type(action)
            if kind is StartMove:
                self._active += 1
            elif isinstance(action, Conclude):
                self._transfers.discard(action.ending.transfer or "")
            elif kind is Forget:
                del self._pipes[pipe.name]
                self._active -= pipe.state is not State.WAITING
