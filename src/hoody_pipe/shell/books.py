"""What can be asked about a name: how it stands, how far its transfer is, and how transfers ended (protocol E)."""

import json
import time
from collections.abc import Callable
from typing import Protocol, cast

from hoody_pipe.config import Config
from hoody_pipe.core import messages
from hoody_pipe.core.admission import Status, Watch
from hoody_pipe.core.ledger import Ledger
from hoody_pipe.core.names import secret
from hoody_pipe.core.pipe import Conclude, Ending, Forget, Standing
from hoody_pipe.core.progress import Measure, Outcome, Report, status, status_of
from hoody_pipe.core.rendezvous import Rendezvous
from hoody_pipe.errors import Refused
from hoody_pipe.shell.connection import Connection
from hoody_pipe.shell.counters import Counters
from hoody_pipe.shell.deadlines import Deadlines
from hoody_pipe.shell.parties import Sender
from hoody_pipe.shell.spectators import Spectators
from hoody_pipe.shell.transfer import Transfer
from hoody_pipe.wire import response
from hoody_pipe.wire.head import RequestHead

ROUNDING = 0.5  # seconds beyond the grace until a question about a receipt is answered as things are


class Answer(Protocol):
    """Sends a whole response."""

    def __call__(
        self,
        connection: Connection,
        head: RequestHead,
        status: int,
        text: str,
        content_type: tuple[str, str] = response.PLAIN_TEXT,
    ) -> None: ...


class Books:
    """Knows all transfers, those that run and those that ended."""

    def __init__(self, config: Config, rendezvous: Rendezvous, deadlines: Deadlines, answer: Answer) -> None:
        self.spectators = Spectators(config, deadlines)
        self.counters = Counters()
        self._config = config
        self._rendezvous = rendezvous
        self._deadlines = deadlines
        self._answer = answer
        self._ledger = Ledger(config.memory)
        self._running: dict[str, Transfer] = {}
        self._ids: set[str] = set()  # of those that run
        self.when_kept: Callable[[str, Outcome], None] = lambda shelf, outcome: None

    # what happens

    def open(self, transfer: Transfer) -> None:
        """A transfer starts."""
        self._running[transfer.sender.name] = transfer
        self._ids.add(transfer.id)

    def conclude(self, action: Conclude) -> None:
        """A sender's attempt ended: keep a receipt if it, or a receiver, will want one."""
        self.counters.give_up(action.ending.reason)
        transfer = self._running.get(action.name)
        if transfer is not None:
            transfer.ended = time.monotonic()
        if action.ending.transfer is not None or (transfer is not None and transfer.digest is not None):
            outcome = self._outcome(action.name, action.ending)
            self._ledger.file(outcome, time.monotonic())
            self.when_kept("receipts", outcome)

    def forget(self, action: Forget) -> None:
        """A name became free."""
        if action.ending is None:
            self._ledger.close(action.name, None, time.monotonic())
            return
        outcome = self._outcome(action.name, action.ending)
        self._ledger.close(action.name, outcome, time.monotonic())
        for shelf in ("recent", "last"):
            self.when_kept(shelf, outcome)
        self.spectators.finish(action.name, outcome)
        transfer = self._running.pop(action.name, None)
        if transfer is not None:
            self._ids.discard(transfer.id)
            self.counters.end(outcome, transfer.digest is not None)
            for callback in transfer.when_over:
                callback()
            transfer.dissolve()

    def kept(self) -> list[tuple[str, float, Outcome]]:
        """What is remembered of transfers that ended: shelf, age in seconds, outcome."""
        return self._ledger.kept(time.monotonic())

    def keep(self, shelf: str, age: float, outcome: Outcome) -> None:
        """Remember what another server has seen."""
        self._ledger.keep(shelf, age, outcome, time.monotonic())

    def moving(self) -> tuple[int, int]:
        """Bytes that running transfers have moved so far, and those of them that are digested."""
        running = list(self._running.values())
        return sum(one.moved for one in running), sum(one.moved for one in running if one.digest is not None)

    def _outcome(self, name: str, ending: Ending) -> Outcome:
        transfer = self._running.get(name)
        measure = Measure(transfer=ending.transfer) if transfer is None else transfer.measure()
        return Outcome(secret(name), ending, measure)

    # what is asked

    def has_transfer(self, transfer: str) -> bool:
        """Whether the id of a transfer is taken (protocol F.3)."""
        if transfer in self._ids or self._rendezvous.has_transfer(transfer):
            return True
        return self._ledger.has_transfer(transfer, time.monotonic())

    def tell_status(self, connection: Connection, head: RequestHead, asked: Status) -> None:
        """Answer a question about a name.

        A receiver may ask as soon as it has read the last byte, when its own acknowledgement is still on its way. So
        a question about a receipt waits until that is known, for as long as a receiver has to be doubted.
        """
        transfer = self._running.get(asked.name)
        if transfer is not None and transfer.awaits_arrival:
            transfer.look_for_arrival()
            if asked.transfer == transfer.id and transfer.awaits_arrival and asked.name in self._running:
                Question(connection, head, asked, self, transfer)
                return
        self.tell_status_now(connection, head, asked)

    def tell_status_now(self, connection: Connection, head: RequestHead, asked: Status) -> None:
        """Answer a question about a name as things are; 404 if nothing is known of what was asked for."""
        report = self._report(asked)
        if report is None:
            self._answer(connection, head, 404, messages.UNKNOWN_TRANSFER + "\n")
        else:
            self._answer(connection, head, 200, json.dumps(report) + "\n", response.JSON)

    def watch(self, connection: Connection, head: RequestHead, asked: Watch) -> None:
        """Take a spectator; after an end there is nothing to watch, and an EventSource that reads 204 stays away.

        Raises:
            Refused: 429 when there are too many.
        """
        name = asked.name
        if self._rendezvous.standing(name).state is None and self._ledger.recent(name, time.monotonic()):
            self._answer(connection, head, 204, "")
            return
        if self.spectators.is_full(name):
            raise Refused(429, messages.TOO_MANY_SPECTATORS)
        self.spectators.join(name, connection, head, lambda: self._view(name))

    def patience(self) -> float:
        """How long a question about a receipt may have to wait, in seconds."""
        return self._config.grace + ROUNDING

    def _report(self, asked: Status) -> Report | None:
        name, now = asked.name, time.monotonic()
        if asked.last:
            outcome = self._ledger.last(name, now)
            return None if outcome is None else status_of(outcome)
        standing, measure = self._view(name)
        if asked.transfer is not None and measure.transfer != asked.transfer:
            outcome = self._ledger.receipt(name, asked.transfer, now)
            return None if outcome is None else status_of(outcome)
        if standing.state is None:
            outcome = self._ledger.recent(name, now)
            return status(standing, measure) if outcome is None else status_of(outcome)
        return status(standing, measure)

    def _view(self, name: str) -> tuple[Standing, Measure]:
        standing = self._rendezvous.standing(name)
        transfer = self._running.get(name)
        if transfer is not None:
            return standing, transfer.measure()
        sender = cast("Sender | None", self._rendezvous.waiting_sender(name))
        if sender is None:
            return standing, Measure()
        return standing, Measure(0, 0.0, sender.total, sender.is_estimate, sender.transfer_id)


class Question:
    """The occupant of a connection that asks for a receipt which will be there soon."""

    def __init__(
        self, connection: Connection, head: RequestHead, asked: Status, books: Books, transfer: Transfer
    ) -> None:
        self._connection = connection
        self._head = head
        self._asked = asked
        self._books = books
        connection.occupant = self
        transfer.when_over.append(self._answer)
        connection.wait(books.patience(), self._answer)

    def ready(self, mask: int) -> None:
        """The one who asked says nothing more but its end."""
        if self._connection.peer_ended:
            self._connection.close()

    def gone(self) -> None:
        """There is nobody left to tell."""

    def _answer(self) -> None:
        if self._connection.occupant is self:
            self._connection.hold()
            self._books.tell_status_now(self._connection, self._head, self._asked)
