"""Requests in, events to the core, the core's actions back out: the one place where both meet."""

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil
from secrets import token_urlsafe
from typing import Any, cast

from hoody_pipe.config import Config
from hoody_pipe.core import messages
from hoody_pipe.core.admission import Intent, Page, Preflight, Receive, Send, Status, Watch, admit
from hoody_pipe.core.pipe import (
    Action,
    Arm,
    Break,
    Conclude,
    EndClean,
    Event,
    Forget,
    ReceiverArrived,
    Refuse,
    SenderArrived,
    StartMove,
    StopMove,
    Tell,
)
from hoody_pipe.core.rendezvous import Rendezvous
from hoody_pipe.errors import Refusal, Refused
from hoody_pipe.pages import dashboard
from hoody_pipe.plane.copy import SCRATCH
from hoody_pipe.plane.hashing import Hasher
from hoody_pipe.plane.kpipe import PipePool
from hoody_pipe.shell.access import AccessLog
from hoody_pipe.shell.books import Books
from hoody_pipe.shell.connection import Connection
from hoody_pipe.shell.crowd import Crowd
from hoody_pipe.shell.deadlines import Deadlines
from hoody_pipe.shell.door import Address, Door, Welcome
from hoody_pipe.shell.metrics import Metrics
from hoody_pipe.shell.pages import Pages
from hoody_pipe.shell.parties import Party, Receiver, Sender
from hoody_pipe.shell.poller import Poller
from hoody_pipe.shell.succession import Succession
from hoody_pipe.shell.transfer import Transfer
from hoody_pipe.wire import head as heads
from hoody_pipe.wire import response
from hoody_pipe.wire.head import RequestHead

MOST_KERNEL_PIPES = 4096


class Relay:
    """Serves connections. One per process; everything in it runs on one thread."""

    def __init__(self, config: Config, poller: Poller, deadlines: Deadlines) -> None:
        self.config = config
        self.poller = poller
        self.deadlines = deadlines
        self.scratch = bytearray(SCRATCH)
        self.pipes = PipePool(MOST_KERNEL_PIPES)
        self.hasher = Hasher(SCRATCH)
        self.crowd = Crowd(Door(config.max_connections_per_ip))
        self.is_draining = False
        self.when_closed: Callable[[], None] = lambda: None
        self._limits = config.limits
        self.rendezvous = Rendezvous(self._limits)
        self.succession = Succession(self, poller.loop)
        self.books = Books(config, self.rendezvous, deadlines, self._answer)
        self.books.when_kept = self.succession.mirror
        self._access = AccessLog(config)
        self._pages = Pages(Metrics(self.rendezvous, self.books).text, self._limits)
        self._how: dict[type[Action], Callable[[Any], None]] = {
            Tell: self._tell,
            Arm: self._arm,
            Refuse: self._refuse_party,
            StartMove: self._start_move,
            StopMove: self._stop_move,
            EndClean: self._end_clean,
            Break: self._break_off,
            Conclude: self.books.conclude,
            Forget: self._forget,
        }

    # what listeners call

    def accept(self, sock: socket.socket, address: Address) -> None:
        """Take a connection, unless its address has too many: then it is told so, or just closed if that is a flood."""
        welcome = self.crowd.door.judge(address)
        if welcome is not Welcome.SERVED:
            self.books.counters.turn_away()
        if welcome is Welcome.IGNORED:
            sock.close()
            return
        connection = Connection(sock, self, address)
        if welcome is Welcome.TURNED_AWAY:
            self.crowd.door.turn_away(connection)
            self.refuse(connection, Refusal(429, messages.TOO_MANY_CONNECTIONS.format(most=self.crowd.door.most)))

    # what connections call

    def serve(self, connection: Connection, head: RequestHead) -> None:
        """Answer one request."""
        try:
            intent = admit(head.method, head.target, head.headers, self._limits)
            if head.has_body and not isinstance(intent, Send):
                raise Refused(400, "[ERROR] Bad request — a body is only taken by PUT and POST.")
            self._serve(connection, head, intent)
        except Refused as refused:
            self._answer_refusal(connection, head, refused.refusal)

    def resume(self, connection: Connection, raw: bytes, left: float | None, state: dict[str, Any]) -> None:
        """Go on with a request that waited at another server; `left` is None if it had only just come there."""
        head = heads.parse(raw)
        if left is None:
            self.serve(connection, head)
            return
        try:
            intent = admit(head.method, head.target, head.headers, self._limits)
        except Refused:  # the limits have changed
            connection.reset()
            return
        if isinstance(intent, Send):
            self._send(connection, head, replace(intent, wait=max(1, ceil(left))), state)
        elif isinstance(intent, Receive):
            self._receive(connection, head, replace(intent, wait=max(1, ceil(left))))

    def _serve(self, connection: Connection, head: RequestHead, intent: Intent) -> None:
        if isinstance(intent, Send):
            self._send(connection, head, intent)
        elif isinstance(intent, Receive):
            self._receive(connection, head, intent)
        elif isinstance(intent, Status):
            self.succession.catch_up()
            self.books.tell_status(connection, head, intent)
        elif isinstance(intent, Watch) and intent.as_page:
            self._answer_dashboard(connection, head, intent.name)
        elif isinstance(intent, Watch):
            self.books.watch(connection, head, intent)
        elif isinstance(intent, Preflight):
            self._answer_preflight(connection, head, intent)
        else:
            self._answer_page(connection, head, intent)

    def _send(
        self, connection: Connection, head: RequestHead, intent: Send, state: dict[str, Any] | None = None
    ) -> None:
        sender = Sender(connection, head, intent, self.report, self.deadlines, self._is_quiet(intent))
        if state is not None:
            sender.restore(state)
        self._arrive(
            SenderArrived(
                intent.name,
                sender,
                intent.n,
                intent.wait,
                intent.require_any,
                intent.sha256,
                intent.transfer,
                is_informed=state is not None,
            )
        )

    def _receive(self, connection: Connection, head: RequestHead, intent: Receive) -> None:
        receiver = Receiver(connection, head, intent, self.report, self.deadlines, self.config.heartbeat)
        self._arrive(ReceiverArrived(intent.name, receiver, intent.n, intent.wait, intent.sha256))

    def refuse(self, connection: Connection, refusal: Refusal) -> None:
        """Answer something that is no request, and close."""
        self._answer_refusal(connection, None, refusal)

    def hand_on(self, connection: Connection) -> bool:
        """Let the server that has taken over go on with a connection; False if there is none."""
        return self.succession.hand_on(connection)

    def connection_closed(self) -> None:
        """A descriptor is free again."""
        self.when_closed()

    # what parties and transfers call

    def report(self, event: Event) -> None:
        """Tell the core what happened, and do what it says."""
        actions = self.rendezvous.handle(event)
        self._access.note(event, actions)
        self._perform(actions)
        self.books.spectators.notice(event.name)

    def count_first_byte(self, seconds: float) -> None:
        """A transfer has moved its first bytes so long after its start."""
        self.books.counters.first_bytes.add(seconds)

    # what the server calls

    def drain(self) -> None:
        """Turn away all who wait; running transfers go on."""
        self.is_draining = True
        self._end_all(self.rendezvous.shut_down())
        self.books.spectators.dismiss(self.rendezvous.is_in_use)
        for connection in list(self.crowd):
            if connection.occupant is None:
                connection.close()

    def retire(self) -> None:
        """Another server has taken over; running transfers end here."""
        self.is_draining = True
        self.rendezvous.release()
        self.books.spectators.dismiss(self.rendezvous.is_in_use)

    def abort(self) -> None:
        """Break the transfers that still run."""
        self._end_all(self.rendezvous.abort())

    def close(self) -> None:
        """Break whatever is still there."""
        for connection in list(self.crowd):
            connection.close()
        self.pipes.close()
        self.hasher.close()

    # the core's side

    def _is_quiet(self, intent: Send) -> bool:
        """Whether a sender is answered only when the outcome is known: a proxy may not bear an early answer."""
        if intent.quiet is not None:
            return intent.quiet
        return intent.proxied if self.config.early_status == "direct" else self.config.early_status == "never"

    def _arrive(self, event: SenderArrived | ReceiverArrived) -> None:
        party = cast("Party", event.party)
        party.connection.occupant = party
        waiting = cast("Sender | None", self.rendezvous.waiting_sender(event.name))
        if waiting is not None and waiting.ask(lambda: self._admit(event, party)):
            party.connection.hold()
        else:
            self._admit(event, party)

    def _admit(self, event: SenderArrived | ReceiverArrived, party: Party) -> None:
        if not party.connection.is_open:
            return
        if self.rendezvous.is_elsewhere(event.name):
            self.succession.catch_up()
        if isinstance(event, SenderArrived) and event.transfer is not None and self.books.has_transfer(event.transfer):
            self._end_all([Refuse(party, Refusal(409, messages.TRANSFER_IN_USE))])
        else:
            self.report(event)
            party.ready(0)  # a peer that did not stay for the answer has left

    def _end_all(self, actions: Sequence[Action]) -> None:
        self._access.note_actions(actions)
        self._perform(actions)

    def _perform(self, actions: Sequence[Action]) -> None:
        for action in actions:
            self._how[type(action)](action)

    def _tell(self, action: Tell) -> None:
        cast("Sender", action.party).tell(action.line)

    def _arm(self, action: Arm) -> None:
        cast("Party", action.party).arm(action.seconds)

    def _refuse_party(self, action: Refuse) -> None:
        party = cast("Party", action.party)
        self._answer_refusal(party.connection, party.head, action.refusal)

    def _start_move(self, action: StartMove) -> None:
        receivers = cast("tuple[Receiver, ...]", action.receivers)
        transfer = Transfer(self, cast("Sender", action.sender), receivers, action.hashes)
        self.books.open(transfer)

    def _stop_move(self, action: StopMove) -> None:
        sender = cast("Sender", action.sender)
        if sender.transfer is not None:
            sender.transfer.stop()

    def _forget(self, action: Forget) -> None:
        self.books.forget(action)
        self.succession.release(action.name)

    def _end_clean(self, action: EndClean) -> None:
        cast("Sender", action.party).end_clean()

    def _break_off(self, action: Break) -> None:
        party = cast("Party", action.party)
        if party.is_unanswered:
            self._answer_refusal(party.connection, party.head, Refusal(500, messages.SENDER_FAILED))
        else:
            party.break_off(action.status)

    # answers that are no streams

    def _answer_refusal(self, connection: Connection, head: RequestHead | None, refusal: Refusal) -> None:
        self.books.counters.refuse(refusal.line)
        fields = [("Allow", refusal.allow)] if refusal.allow else []
        self._answer(connection, head, refusal.status, refusal.line + "\n", fields=fields)

    def _answer_page(self, connection: Connection, head: RequestHead, page: Page) -> None:
        shown = self._pages.render(page.path, connection, head)
        self._answer(connection, head, shown.status, shown.text, shown.content_type, shown.fields)

    def _answer_dashboard(self, connection: Connection, head: RequestHead, name: str) -> None:
        nonce = token_urlsafe(16)
        fields = [("Content-Security-Policy", dashboard.policy(nonce)), ("X-Content-Type-Options", "nosniff")]
        self._answer(connection, head, 200, dashboard.render(name, nonce), response.HTML, fields)

    def _answer_preflight(self, connection: Connection, head: RequestHead, preflight: Preflight) -> None:
        wants_private = head.headers.get("access-control-request-private-network") == "true"
        status, allowed = (200, response.PIPE_HEADERS) if preflight.for_pipes else (204, response.PAGE_HEADERS)
        fields = response.preflight_fields(
            preflight.methods, allowed, self.config.cors_max_age, wants_private and preflight.for_pipes
        )
        self._answer(connection, head, status, "", fields=fields)

    def _answer(
        self,
        connection: Connection,
        head: RequestHead | None,
        status: int,
        text: str,
        content_type: tuple[str, str] = response.PLAIN_TEXT,
        fields: response.Fields | None = None,
    ) -> None:
        """Send a whole response; without a head the request was not understood, and the connection closes."""
        stays = head is not None and head.keep_alive and not head.has_body and not self.is_draining
        origin = head.headers.get("origin") if head else None
        body = text.encode("utf-8", "surrogateescape")
        all_fields = [*response.common_fields(int(time.time()), origin, stays), *(fields or ())]
        if status != 204:
            all_fields += [content_type, ("Content-Length", str(len(body)))]
        sends_body = head is None or head.method != "HEAD"
        connection.write(response.render_head(status, all_fields) + (body if sends_body else b""))
        if stays:
            connection.next_request()
        else:
            connection.linger()
