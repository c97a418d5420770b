"""Any order of arrivals, departures, timeouts and bytes leaves no name behind and nobody without an answer."""

from dataclasses import dataclass
from itertools import count

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hoody_pipe.core.limits import Limits
from hoody_pipe.core.pipe import (
    Action,
    Arm,
    BodyRead,
    Break,
    Delivered,
    EndClean,
    Event,
    IdleExpired,
    PartyLeft,
    ReceiverArrived,
    Refuse,
    SenderArrived,
    SenderFailed,
    StartMove,
    StopMove,
    Tell,
    WaitExpired,
)
from hoody_pipe.core.rendezvous import Rendezvous


@dataclass(eq=False)
class Client:
    """A party as its own user sees it."""

    name: str
    is_sender: bool
    present: bool = True
    answered: str = ""
    armed: bool = False
    streaming: bool = False

    def answer(self, how: str) -> None:
        assert not self.answered, f"answered twice: {self.answered}, {how}"
        self.answered = how


class World(RuleBasedStateMachine):
    """Clients of two names, and a model of what each of them was told."""

    def __init__(self) -> None:
        super().__init__()
        self.rendezvous = Rendezvous(Limits(waiting=3, active=2))
        self.clients: list[Client] = []
        self.moving: dict[Client, set[Client]] = {}  # sender → receivers that still want bytes
        self.read: set[Client] = set()
        self.complete: dict[Client, int] = {}
        self.ids = count()

    def feed(self, event: Event) -> None:
        for action in self.rendezvous.handle(event):
            self.perform(action)

    def perform(self, action: Action) -> None:
        if isinstance(action, Refuse):
            assert isinstance(action.party, Client)
            assert not action.party.streaming
            action.party.answer("refused")
        elif isinstance(action, Break):
            assert isinstance(action.party, Client)
            action.party.answer("broken")
        elif isinstance(action, EndClean):
            assert isinstance(action.party, Client)
            action.party.answer("clean")
            assert self.complete[action.party] >= 1
        elif isinstance(action, Arm):
            assert isinstance(action.party, Client)
            action.party.armed = True
        elif isinstance(action, Tell):
            assert isinstance(action.party, Client)
            assert not action.party.answered
            assert action.party.present
        else:
            self.perform_move(action)

    def perform_move(self, action: Action) -> None:
        if isinstance(action, StartMove):
            assert isinstance(action.sender, Client)
            receivers = {party for party in action.receivers if isinstance(party, Client)}
            self.moving[action.sender] = receivers
            self.complete[action.sender] = 0
            for party in [action.sender, *receivers]:
                assert party.present
                party.streaming = True
        elif isinstance(action, StopMove):
            assert isinstance(action.sender, Client)
            self.read.add(action.sender)  # nothing more is read

    def here(self) -> list[Client]:
        return [client for client in self.clients if client.present and not client.answered]

    @rule(name=st.sampled_from(["/a", "/b"]), n=st.integers(1, 3), require_any=st.booleans())
    def sender_arrives(self, name: str, n: int, require_any: bool) -> None:
        client = Client(name, True)
        self.clients.append(client)
        self.feed(SenderArrived(name, client, n, 300, require_any))

    @rule(name=st.sampled_from(["/a", "/b"]), n=st.integers(1, 3))
    def receiver_arrives(self, name: str, n: int) -> None:
        client = Client(name, False)
        self.clients.append(client)
        self.feed(ReceiverArrived(name, client, n, 300))

    @rule(data=st.data())
    def one_leaves(self, data: st.DataObject) -> None:
        if self.here():
            client = data.draw(st.sampled_from(self.here()))
            client.present = False
            self.feed(PartyLeft(client.name, client))

    @rule(data=st.data())
    def one_loses_patience(self, data: st.DataObject) -> None:
        waiting = [client for client in self.here() if client.armed]
        if waiting:
            client = data.draw(st.sampled_from(waiting))
            self.feed(WaitExpired(client.name, client))

    @rule(data=st.data(), event=st.sampled_from([BodyRead, SenderFailed, IdleExpired]))
    def a_body_ends(self, data: st.DataObject, event: type[BodyRead | SenderFailed | IdleExpired]) -> None:
        running = [sender for sender in self.moving if sender not in self.read and not sender.answered]
        if running:
            sender = data.draw(st.sampled_from(running))
            self.read.add(sender)
            self.feed(event(sender.name))

    @rule(data=st.data())
    def one_has_everything(self, data: st.DataObject) -> None:
        for sender in [sender for sender in self.moving if sender in self.read]:
            ready = [client for client in self.moving[sender] if client.present and not client.answered]
            if ready:
                client = data.draw(st.sampled_from(ready))
                self.complete[sender] += 1
                client.answer("clean")
                self.feed(Delivered(client.name, client))

    @invariant()
    def a_name_in_use_has_somebody_on_it(self) -> None:
        used = self.rendezvous.waiting + self.rendezvous.active
        assert used <= len({client.name for client in self.here()})

    def teardown(self) -> None:
        for client in self.here():
            client.present = False
            self.feed(PartyLeft(client.name, client))
        assert self.rendezvous.waiting == 0
        assert self.rendezvous.active == 0
        assert all(client.answered or not client.present for client in self.clients)


TestAnyOrder = World.TestCase
TestAnyOrder.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
