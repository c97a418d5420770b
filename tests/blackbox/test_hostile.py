"""What an attacker sends is refused with one line, reaches nobody, and harms nobody beside it (protocol Z.6)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from blackbox import lines
from blackbox.attacks import BROKEN_CHUNKS, CHUNKED, REFUSED, SMUGGLED, WHOLE, Attack, aim
from blackbox.harness import Clients
from blackbox.rawhttp import Ended, Raw, request
from blackbox.sse import status

Send = Callable[[Raw, bytes], object]


def at_once(raw: Raw, data: bytes) -> None:
    """In as few packets as possible."""
    raw.offer(data)


def in_halves(raw: Raw, data: bytes) -> None:
    """Two packets, so that the cut falls somewhere within; the second one follows at once."""
    raw.offer(data[: len(data) // 2]).offer(data[len(data) // 2 :])


def byte_by_byte(raw: Raw, data: bytes) -> None:
    """A packet for every byte; what makes a head large comes in one."""
    for at in range(min(len(data), 400)):
        raw.offer(data[at : at + 1])
    raw.offer(data[400:])


PACES = pytest.mark.parametrize("pace", [at_once, in_halves, byte_by_byte])


@dataclass
class Beside:
    """A transfer that runs while the attack is made."""

    clients: Clients
    name: str
    _receiver: Raw = field(init=False)
    _sender: Raw = field(init=False)

    def __post_init__(self) -> None:
        self._receiver = self.clients.raw(request("GET", f"/{self.name}"))
        self._sender = self.clients.raw(request("PUT", f"/{self.name}", "Content-Length: 10") + b"first")
        self._receiver.until(b"first")

    def is_untouched(self) -> bool:
        """Let it end; whether both sides got everything."""
        self._sender.send(b"other")
        rest = self._receiver.exactly(5)
        return rest == b"other" and self._sender.answer().lines[-1] == lines.COMPLETE


@pytest.fixture
def beside(clients: Clients, name: str) -> Iterator[Beside]:
    """A transfer that runs while the attack is made, and that must not feel it."""
    transfer = Beside(clients, name + "-beside")
    yield transfer
    assert transfer.is_untouched()


def rest(raw: Raw) -> bytes:
    """Everything that still comes before the peer's orderly end."""
    with pytest.raises(Ended) as caught:
        raw.exactly(1 << 30)
    assert not caught.value.was_reset
    return caught.value.rest


def is_unused(clients: Clients, name: str) -> bool:
    """Whether nobody has come to the name."""
    return bool(status(clients, name)["state"] == "idle")


# Z.6: where a request ends


@PACES
@pytest.mark.parametrize("attack", REFUSED.values(), ids=REFUSED.keys())
def test_an_ambiguous_request_is_refused_with_one_line_and_nothing_behind_it_is_read(
    clients: Clients, name: str, beside: Beside, attack: Attack, pace: Send
) -> None:
    """However it is cut; the connection ends after the one answer."""
    other = name[::-1]
    raw = clients.raw()
    pace(raw, attack.aimed(name, other))
    answer = raw.answer()
    assert (answer.status, answer.lines) == (attack.status, [attack.line])
    assert answer.fields["connection"] == "close"
    assert rest(raw) == b""
    assert is_unused(clients, name)
    assert is_unused(clients, other)


@PACES
@pytest.mark.parametrize("body", BROKEN_CHUNKS, ids=lambda body: repr(body)[:40])
def test_a_body_in_bad_chunks_breaks_its_own_transfer_and_nothing_behind_it_is_read(
    clients: Clients, name: str, beside: Beside, body: bytes, pace: Send
) -> None:
    """What came before the fault may be delivered; the receiver sees that it is not all."""
    other = name[::-1]
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", CHUNKED.decode()))
    sender.until(b"Streaming")
    pace(sender, aim(body + SMUGGLED, name, other))
    sender.until(b"\n\r\n")
    told = [line for line in rest(sender).decode().splitlines() if line.startswith("[")]
    got = receiver.answer()
    assert told == [lines.SENDER_FAILED]
    assert not got.complete
    assert BROKEN_CHUNKS[body].startswith(got.body)
    assert is_unused(clients, other)


@PACES
@pytest.mark.parametrize("case", WHOLE.values(), ids=WHOLE.keys())
def test_a_body_in_order_arrives_as_it_is_and_the_request_behind_it_is_the_next_one(
    clients: Clients, name: str, beside: Beside, case: tuple[tuple[bytes, ...], bytes, bytes], pace: Send
) -> None:
    """A request that is inside it stays a part of it."""
    fields, body, payload = (case[0], *(aim(each, name, name[::-1]) for each in case[1:]))
    head = b"".join([b"PUT /%b HTTP/1.1\r\nHost: a\r\n" % name.encode(), *(each + b"\r\n" for each in fields), b"\r\n"])
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw()
    pace(sender, head.replace(b"{length}", b"%d" % len(body)) + body + request("GET", "/robots.txt"))
    got, told = receiver.answer(), sender.answer()
    assert (got.body, got.complete) == (payload, True)
    assert (told.lines[-1], told.complete) == (lines.COMPLETE, True)
    assert sender.answer().body.startswith(b"User-agent")
    assert sender.is_silent()
    assert is_unused(clients, name[::-1])


@pytest.mark.parametrize("size", [4095, 4096, 4097, 32 * 1024])
def test_a_head_of_any_size_leaves_the_request_behind_it_alone(clients: Clients, size: int) -> None:
    """One of exactly as many bytes as are looked at first once hid that more had come with it."""
    head = request("GET", "/robots.txt", "X: ")
    padded = head.replace(b"X: ", b"X: " + b"x" * (size - len(head)))
    raw = clients.raw(padded + request("GET", "/robots.txt"))
    assert [raw.answer().status, raw.answer().status] == [200, 200]


def test_one_empty_line_may_come_before_each_request(clients: Clients) -> None:
    """RFC 9112, 2.2: old clients send one behind a body."""
    raw = clients.raw((b"\r\n" + request("GET", "/robots.txt")) * 3)
    assert [raw.answer().status for _ in range(3)] == [200, 200, 200]
