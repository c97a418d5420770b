"""A server's place between the one before it and the one after it.

After a handover the old server keeps only its running transfers. It tells its heir when a name becomes free, and gives
it every connection that goes on to a next request, and every outcome; its own end frees whatever it still held.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from hoody_pipe.core.progress import Outcome
from hoody_pipe.shell.channel import Channel, Message
from hoody_pipe.shell.connection import Connection
from hoody_pipe.shell.estate import Estate, Guest, Kept
from hoody_pipe.shell.parties import Party

if TYPE_CHECKING:
    from hoody_pipe.shell.relay import Relay

log = logging.getLogger(__name__)


class Succession:
    """Knows the heir, and the predecessors that still drain."""

    def __init__(self, relay: "Relay", loop: asyncio.AbstractEventLoop) -> None:
        self._relay = relay
        self._loop = loop
        self._heir: Channel | None = None
        self._predecessors: dict[Channel, set[str]] = {}

    @property
    def predecessors(self) -> list[tuple[Channel, list[str]]]:
        """The servers that still drain, with the names in use there."""
        return [(channel, sorted(names)) for channel, names in self._predecessors.items()]

    # towards the heir

    def guests(self) -> Iterator[Guest]:
        """Everybody who is not being served just now."""
        for connection in self._relay.crowd:
            party = connection.occupant
            if party is None:
                yield _pack(connection)
            elif isinstance(party, Party) and party.transfer is None:
                guest = _pack(connection)
                guest.head, guest.state = party.head.raw, party.state()
                guest.left = self._relay.deadlines.left(connection)
                yield guest

    def leave_to(self, heir: Channel, guests: list[Guest]) -> None:
        """The heir has these guests and the predecessors now."""
        self._heir = heir
        gone = {guest.sock for guest in guests}
        for connection in list(self._relay.crowd):
            if connection.sock in gone:
                if isinstance(connection.occupant, Party):
                    connection.occupant.forget()
                connection.close()
        for channel in self._predecessors:
            self._loop.remove_reader(channel.sock.fileno())
            channel.close()
        self._predecessors.clear()

    def hand_on(self, connection: Connection) -> bool:
        """Give the heir a connection that goes on to its next request; False if there is none to take it."""
        if self._heir is None:
            return False
        connection.occupant = _Leaving()
        connection.hold()
        self._relay.poller.soon(lambda: self._send(connection))
        return True

    def _send(self, connection: Connection) -> None:
        """Later in the turn: the heir must have heard before that the transfer is over and its name is free."""
        if self._heir is not None and connection.is_open:
            with contextlib.suppress(OSError):
                _pack(connection).send(self._heir)
                connection.close()
                return
            self._lose_heir()
        if connection.is_open:
            connection.linger()

    def release(self, name: str) -> None:
        """A name became free here."""
        self._tell({"type": "free", "name": name})

    def mirror(self, shelf: str, outcome: Outcome) -> None:
        """A transfer ended here, and its outcome will be asked for there."""
        if self._heir is not None:
            self._tell({"type": "outcome", **asdict(Kept(shelf, 0.0, outcome))})

    def _tell(self, message: Message) -> None:
        if self._heir is not None:
            try:
                self._heir.send(message)
            except OSError:
                self._lose_heir()

    def _lose_heir(self) -> None:
        if self._heir is not None:
            self._heir.close()
            self._heir = None

    # towards the predecessors

    def enter(self, estate: Estate) -> None:
        """Go on where the predecessor left off."""
        for channel, names in estate.predecessors:
            self._predecessors[channel] = set(names)
            self._relay.rendezvous.occupy(names)
            self._loop.add_reader(channel.sock.fileno(), self._hear, channel)
        for kept in estate.outcomes:
            self._relay.books.keep(kept.shelf, kept.age, kept.outcome)
        for guest in estate.guests:
            self._welcome(guest)

    def catch_up(self) -> None:
        """Hear what the predecessors have said so far: whoever has read its last byte may use the name again."""
        for channel in list(self._predecessors):
            while channel in self._predecessors and channel.has_message():
                self._hear(channel)

    def _hear(self, channel: Channel) -> None:
        try:
            message, fds = channel.receive()
        except (OSError, EOFError):
            self._loop.remove_reader(channel.sock.fileno())
            channel.close()
            self._relay.rendezvous.vacate(self._predecessors.pop(channel))
            self._relay.connection_closed()
            return
        if message["type"] == "guest":
            self._welcome(Guest.received(message, fds[0]))
        elif message["type"] == "outcome":
            kept = Kept.received(message)
            self._relay.books.keep(kept.shelf, kept.age, kept.outcome)
        else:
            self._predecessors[channel].discard(message["name"])
            self._relay.rendezvous.vacate([message["name"]])

    def _welcome(self, guest: Guest) -> None:
        try:
            connection = Connection(guest.sock, self._relay, guest.sock.getpeername())
        except OSError:
            guest.sock.close()
            return
        connection.unpack(guest.pending, guest.unsent)
        if self._relay.is_draining:
            connection.linger()
        elif guest.head:
            self._relay.resume(connection, guest.head, guest.left, guest.state)


def _pack(connection: Connection) -> Guest:
    pending, unsent = connection.luggage
    return Guest(connection.sock, pending, unsent)


class _Leaving:
    """The occupant of a connection that is about to be handed on: whatever happens to it is for the heir to see."""

    def ready(self, mask: int) -> None:
        """Not here."""

    def gone(self) -> None:
        """There is nobody left to tell."""
