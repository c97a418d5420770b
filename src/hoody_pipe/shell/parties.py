"""The two kinds of party: a sender and a receiver, each one request on one connection.

They turn the core's actions into HTTP and readiness into events. By the truth rule (protocol Z.2) a response ends
cleanly only when the core says so; every other end must look broken to an unmodified client, and how that looks depends
on how the response is framed.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hoody_pipe.core.admission import Receive, Send
from hoody_pipe.core.pipe import Delivered, Event, PartyLeft, WaitExpired
from hoody_pipe.plane import arrival
from hoody_pipe.plane.life import Stall
from hoody_pipe.plane.sink import Sink
from hoody_pipe.shell.connection import Connection
from hoody_pipe.shell.deadlines import Deadlines
from hoody_pipe.shell.poller import READABLE, WRITABLE
from hoody_pipe.wire import response
from hoody_pipe.wire.head import RequestHead

if TYPE_CHECKING:
    from hoody_pipe.shell.transfer import Transfer

FIRST_QUESTION = 0.5  # seconds after which a waiting sender is asked whether it is there; doubled each time
LONGEST_DOUBT = 1.0  # seconds after which a sender that does not answer is taken for alive
MOST_ZEROS = 12  # with the digits of a line's size that stays within the 16 that clients accept
MOST_KEPT = 1000  # lines for a quiet sender, before a line that says the same again is left out
# HAProxy 2.6 that reads an interim response and the head of the final one together ends the stream with what it has,
# and cleanly. So it gets the time to read them apart.
APART = 0.25  # seconds
ENDING_PROGRAMS = ("curl/", "Wget/")
CERTAIN = 64 * 1024  # bytes; a receiver's kernel that has all of so short a body has it in one piece


class Party:
    """What sender and receiver share: a connection, a request, and perhaps a running transfer."""

    role: str
    n: int

    def __init__(
        self,
        connection: Connection,
        head: RequestHead,
        name: str,
        report: Callable[[Event], None],
        deadlines: Deadlines,
    ) -> None:
        self.connection = connection
        self.head = head
        self.name = name
        self.arrived = time.monotonic()
        self.transfer: Transfer | None = None
        self._report = report
        self._deadlines = deadlines

    def arm(self, seconds: float) -> None:
        """Report when this party's patience is over."""
        self._deadlines.arm(self.connection, seconds, self._expire)

    def gone(self) -> None:
        """The connection broke."""
        self._report(PartyLeft(self.name, self))

    def ready(self, mask: int) -> None:
        """Something changed on the connection; `mask` says what."""
        raise NotImplementedError

    def leave(self) -> None:
        """The peer went away in good order."""
        self.connection.close()
        self.gone()

    @property
    def is_unanswered(self) -> bool:
        """Whether the response has not begun, so that it can still be a refusal."""
        return False

    def state(self) -> dict[str, Any]:
        """What another server has to know to go on with this party; plain values only."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where another server left off."""

    def forget(self) -> None:
        """Another server goes on with this party."""

    def break_off(self, status: int) -> None:
        """End the response so that an unmodified client fails; `status` serves where it has not begun."""
        raise NotImplementedError

    def _expire(self) -> None:
        self._report(WaitExpired(self.name, self))


class Sender(Party):
    """A sender. Its response is a stream of status lines; a quiet one, or one of HTTP/1.0, gets them at the end."""

    role = "sender"

    def __init__(
        self,
        connection: Connection,
        head: RequestHead,
        intent: Send,
        report: Callable[[Event], None],
        deadlines: Deadlines,
        is_quiet: bool = False,
    ) -> None:
        super().__init__(connection, head, intent.name, report, deadlines)
        if intent.boundary is not None:
            head.keep_alive = False  # what follows the part is not read
        self.n = intent.n
        self.forwarded = intent.forwarded
        self.boundary = intent.boundary  # of a form
        self.transfer_id = intent.transfer  # of its own choice
        self._size = intent.size
        self._is_quiet = is_quiet or head.minor == 0
        self._may_be_asked = head.minor == 1 and not (self._is_quiet and intent.proxied)
        self._has_begun = False
        self._kept: list[str] = []
        self._zeros = 0  # of the next chunk's size, already sent
        self._when_known: list[Callable[[], None]] = []
        self._when_known_key = object()

    def describe(self, fields: Mapping[str, str]) -> None:
        """Say of the body what the header fields of a form's part say."""
        self.forwarded = self.forwarded.of_part(fields)

    @property
    def total(self) -> int | None:
        """How many bytes its body has, or will have as far as it knows."""
        return self._size if self.forwarded.length is None else self.forwarded.length

    @property
    def is_estimate(self) -> bool:
        """Whether the total is a guess."""
        return self.forwarded.length is None and self._size is not None

    def ready(self, mask: int) -> None:
        """While it waits, its end is a departure; later the body says where it ends."""
        if self.transfer is not None:
            if mask & READABLE:
                self.transfer.wake()
        elif self.connection.peer_ended:
            self.leave()
        elif self._when_known and arrival.is_acknowledged(self.connection.sock):
            self._know()

    def gone(self) -> None:
        """The connection broke."""
        self.stop_asking()
        super().gone()
        self._know()

    def arm(self, seconds: float) -> None:
        """Report when this party's patience is over; until then, ask now and then whether it is still there."""
        super().arm(seconds)
        if self.head.length is None or self.head.length >= arrival.HIDING:
            self._ask_again(FIRST_QUESTION)

    def ask(self, when_known: Callable[[], None]) -> bool:
        """Find out whether a sender that waits is still there, then call back; False if there is nothing to find out.

        A sender that died behind a full receive window cannot say so: its FIN queues behind its data. But its kernel
        answers any byte of ours with a reset. That byte is a leading zero of the next chunk's size, or an interim
        response; behind a proxy, which may take that for the answer, there is none.
        """
        if not self._may_be_asked or self._zeros == MOST_ZEROS or not arrival.may_hide_end(self.connection.sock):
            return False
        self._when_known.append(when_known)
        if len(self._when_known) == 1:
            self._zeros += 1
            arrival.watch(self.connection.sock)
            self.connection.write(response.PROCESSING if self._is_quiet else b"0")
            self._deadlines.arm(self._when_known_key, LONGEST_DOUBT, self._know)
        return True

    def stop_asking(self) -> None:
        """It streams, or it left."""
        self._deadlines.cancel(self)

    def state(self) -> dict[str, Any]:
        """How far its response is."""
        return {"begun": self._has_begun, "quiet": self._is_quiet, "kept": self._kept, "zeros": self._zeros}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with a response that another server began."""
        self._has_begun, self._is_quiet = state["begun"], state["quiet"]
        self._kept, self._zeros = state["kept"], state["zeros"]

    def forget(self) -> None:
        """Another server asks from now on."""
        self.stop_asking()
        self._deadlines.cancel(self._when_known_key)

    def _know(self) -> None:
        self._deadlines.cancel(self._when_known_key)
        waiting, self._when_known = self._when_known, []
        for callback in waiting:
            callback()

    def _ask_again(self, seconds: float) -> None:
        def ask() -> None:
            self.ask(lambda: None)
            self._ask_again(seconds * 2)

        self._deadlines.arm(self, seconds, ask)

    def tell(self, line: str) -> None:
        """Send one status line, or keep it for the end."""
        if not self._has_begun:
            self._has_begun = True
            self._begin()
        if self._is_quiet:
            if len(self._kept) < MOST_KEPT or line != self._kept[-1]:
                self._kept.append(line)
            return
        self._zeros = 0
        self.connection.write(response.status_line(line))

    def end_clean(self) -> None:
        """End the response as a success."""
        if self._is_quiet:
            self._answer(200, 0)
        else:
            self.connection.write(response.LAST_CHUNK)
        if self.head.keep_alive:
            self.connection.next_request()
        else:
            self.connection.linger()

    def break_off(self, status: int) -> None:
        """End the response so that the client fails: no last chunk, or fewer bytes than announced."""
        self.stop_asking()
        if self._is_quiet:
            self._answer(status, 1)
        self.connection.linger()

    def _begin(self) -> None:
        """The request is accepted: let the body come."""
        if self.head.expects_continue:
            self.connection.write(response.CONTINUE)
        if not self._is_quiet:
            origin = self.head.headers.get("origin")
            self.connection.write(response.status_head(int(time.time()), origin, self.head.keep_alive))

    def _answer(self, status: int, missing: int) -> None:
        body = "".join(line + "\n" for line in self._kept).encode("utf-8", "surrogateescape")
        own = response.status_fields(int(time.time()), self.head.headers.get("origin"), self.head.keep_alive)
        fields = [*own, ("Content-Length", str(len(body) + missing))]
        self.connection.write(response.render_head(status, fields) + body)


class Receiver(Party):
    """A receiver. It gets no byte before everybody is there, and counts only when the bytes have arrived."""

    role = "receiver"

    def __init__(
        self,
        connection: Connection,
        head: RequestHead,
        intent: Receive,
        report: Callable[[Event], None],
        deadlines: Deadlines,
        heartbeat: float = 0.0,
    ) -> None:
        super().__init__(connection, head, intent.name, report, deadlines)
        if intent.proxied:
            head.keep_alive = (
                False  # a proxy closes when it has read everything; it may also keep a connection silently
            )
        self.n = intent.n
        self.params = intent.params
        self.sink: Sink | None = None
        self._length: int | None = None
        self._is_settled = False  # acknowledged at the last look
        self._is_proxied = intent.proxied
        self._heartbeat = heartbeat if intent.proxied and head.minor == 1 else 0.0
        self._stall: Stall | None = None
        self._last_beat = -APART

    @property
    def has_just_beaten(self) -> bool:
        """Whether its last sign of life may still be on its way to the proxy."""
        return time.monotonic() - self._last_beat < APART

    def arm(self, seconds: float) -> None:
        """Report when this party's patience is over; until then, keep the patience of a proxy in front of it."""
        super().arm(seconds)
        if self._heartbeat:
            self._deadlines.arm(self, self._heartbeat, self._beat)

    def _beat(self) -> None:
        """Say through an interim response that the answer is still to come (protocol Z.4, RFC 9110, 15.2)."""
        if self.connection.occupant is self and self.transfer is None:
            self.connection.write(response.PROCESSING)
            self.connection.flush()  # what follows may be written past the connection
            self._last_beat = time.monotonic()
            self._deadlines.arm(self, self._heartbeat, self._beat)

    def ready(self, mask: int) -> None:
        """Its end is a departure, unless everything was sent before."""
        sink = self.sink
        if sink is not None and sink.done:
            self.look_for_arrival()
        elif self.connection.peer_ended:
            self.leave()
        elif sink is not None and self.transfer is not None and mask & WRITABLE:
            sink.blocked = False
            self.transfer.wake()

    def open(self, sender: Sender, transfer_id: str, repeats_chunks: bool) -> Sink:
        """Make the sink of this receiver, its response head already in it.

        `repeats_chunks` says that the mover hands on the sender's chunks with their framing.
        """
        self._length = sender.forwarded.length
        origin, has_extras = self.head.headers.get("origin"), bool(sender.forwarded.extras)
        fields = response.data_fields(int(time.time()), origin, self.head.keep_alive, transfer_id, has_extras)
        fields += sender.forwarded.fields_for(self.params, self.name)
        if self._length is not None:
            fields.append(("Content-Length", str(self._length)))
        elif self._is_chunked:
            fields.append(("Transfer-Encoding", "chunked"))
        tail = response.LAST_CHUNK if self._is_chunked else b""
        own_chunks = self._is_chunked and not repeats_chunks
        if self._ends_with_connection:
            self.connection.end_by_reset(True)
        self.sink = Sink(self.connection.sock, response.render_head(200, fields), tail, own_chunks)
        return self.sink

    def finish(self, grace: float) -> None:
        """Everything was handed to the kernel: end the response, and wait until it has arrived."""
        if self._ends_with_connection:
            self.connection.end_by_reset(False)
        if not self.head.keep_alive:
            self.connection.end()
        self._deadlines.arm(self.connection, grace, lambda: self._look_again(grace))
        self.look_for_arrival()

    def look_for_arrival(self) -> None:
        """Report the delivery once it is certain; a reset instead is reported by the connection."""
        if arrival.is_acknowledged(self.connection.sock):
            self._is_settled = True
            if self._is_short or self.connection.has_moved_on():
                self._deliver()

    def may_stall(self) -> None:
        """From when it is served until it has everything, it may take nothing for as long as it lives."""
        if self.sink is not None and self._stall is None:
            with contextlib.suppress(OSError):  # broken, or next time
                self._stall = Stall(self.connection.sock)

    def close_clean(self) -> None:
        """The response has arrived: go on with the next request, or close."""
        if self.head.keep_alive:
            self.connection.next_request()
        else:
            self.connection.linger()

    def gone(self) -> None:
        """The connection broke.

        That is how HAProxy ends when it has read everything, and its reset may overtake its last acknowledgements. What
        a proxy does with the last bytes it took cannot be known from here.
        """
        sink = self.sink
        if self._is_proxied and sink is not None and sink.done and self.connection.unacknowledged <= CERTAIN:
            self._report(Delivered(self.name, self))
            return
        self._leave_transfer()
        super().gone()

    def break_off(self, status: int) -> None:
        """End the response so that the client fails; where its end is the end of the connection, by a reset."""
        self._leave_transfer()
        if self._ends_with_connection:
            self.connection.reset()
        else:
            self.connection.linger()

    @property
    def _ends_with_connection(self) -> bool:
        """Whether an orderly end of the connection means success, so that every other end has to be a reset."""
        return self._length is None and self.head.minor == 0

    @property
    def is_unanswered(self) -> bool:
        """Whether the response has not begun: a form was read in vain."""
        return self.sink is None

    @property
    def _is_chunked(self) -> bool:
        return self._length is None and self.head.minor == 1

    @property
    def _is_short(self) -> bool:
        return self.transfer is not None and self.transfer.moved <= CERTAIN

    @property
    def _is_sure_to_move_on(self) -> bool:
        """Whether the client is a program that ends, or asks for more, as soon as it has read a response."""
        return self._is_proxied or self.head.headers.get("user-agent", "").startswith(ENDING_PROGRAMS)

    def _leave_transfer(self) -> None:
        if self.transfer is not None:
            self.transfer.lose(self)

    def _look_again(self, grace: float) -> None:
        """A client that keeps its connection may say nothing more: then no reset within the grace has to do."""
        if not self._is_sure_to_move_on and self._is_settled and arrival.is_acknowledged(self.connection.sock):
            self._deliver()
            return
        self.look_for_arrival()
        if self.connection.occupant is self:
            self._deadlines.arm(self.connection, grace, lambda: self._look_again(grace))

    def _deliver(self) -> None:
        arrival.unwatch(self.connection.sock)
        if self._stall is not None:
            self._stall.end()
        self._report(Delivered(self.name, self))
        self.close_clean()
