"""Who meets whom, and what a sender reads meanwhile (protocol A.2, B.3, C.1, D, F.1)."""

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import Clients, eventually
from blackbox.rawhttp import Ended, chunked, request
from blackbox.sse import status

# B.2, B.3, J: what a sender reads


def receive_head(name: str, query: str = "") -> bytes:
    return request("GET", f"/{name}{query and '?' + query}")


def test_the_sender_reads_every_line_as_it_happens(clients: Clients, name: str) -> None:
    sender = clients.raw(request("PUT", f"/{name}?n=2", "Transfer-Encoding: chunked"))
    sender.until(lines.waiting(2).encode() + b"\n\r\n")
    assert sender.is_silent()
    first = clients.raw(receive_head(name, "n=2"))
    gone = clients.raw(receive_head(name, "n=2&wait=1"))
    sender.until(lines.streaming(2).encode() + b"\n\r\n")
    sender.send(chunked(b"body"))
    assert first.answer().body == gone.answer().body == b"body"
    sender.until(lines.UPLOAD_COMPLETE.encode() + b"\n\r\n")
    sender.until(lines.COMPLETE.encode() + b"\n\r\n0\r\n\r\n")


def test_a_receiver_that_leaves_while_it_waits_is_announced(clients: Clients, name: str) -> None:
    sender = clients.raw(request("PUT", f"/{name}?n=2", "Transfer-Encoding: chunked"))
    sender.until(lines.waiting(2).encode())
    receiver = clients.raw(receive_head(name, "n=2"))
    assert receiver.is_silent()
    receiver.close()
    sender.until(lines.RECEIVER_LEFT.encode() + b"\n\r\n")


# B.4, C.1, C.4, D, F.1: how many there are, and how long they wait


@pytest.mark.parametrize("first", ["PUT", "GET"])
@pytest.mark.parametrize("late", ["PUT", "GET"])
def test_the_first_party_says_how_many_receivers_there_are(clients: Clients, name: str, first: str, late: str) -> None:
    clients.raw(request(first, f"/{name}?n=2"))
    assert eventually(lambda: status(clients, name)["state"] == "waiting")
    answer = clients.raw(request(late, f"/{name}")).answer()
    line = "[ERROR] Receiver count mismatch — expected 2 but got 1."
    if first == late == "PUT":
        line = f"[ERROR] Path '/{name}' already has a sender connected."
    assert (answer.status, answer.lines) == (400, [line])
    assert status(clients, name)["totalReceivers"] == 2


def test_a_receiver_whose_wait_is_over_hears_what_was_missing_and_the_others_wait_on(
    clients: Clients, name: str
) -> None:
    patient = clients.raw(receive_head(name, "n=3"))
    impatient = clients.raw(receive_head(name, "n=3&wait=1"))
    assert impatient.answer().lines == [lines.NO_SENDER]
    impatient = clients.raw(receive_head(name, "n=3&wait=1"))
    sender = clients.raw(request("PUT", f"/{name}?n=3", body=b"x"))
    answer = impatient.answer()
    assert (answer.status, answer.lines) == (408, [lines.NO_RECEIVERS])
    sender.until(lines.RECEIVER_LEFT.encode() + b"\n\r\n")
    others = [clients.raw(receive_head(name, "n=3")) for _ in range(2)]
    assert [receiver.answer().body for receiver in (patient, *others)] == [b"x"] * 3
    sender.until(lines.COMPLETE.encode())


def test_the_last_one_whose_wait_is_over_frees_the_name(clients: Clients, name: str) -> None:
    assert clients.raw(receive_head(name, "n=3&wait=1")).answer().status == 408
    report = status(clients, name)
    assert (report["state"], report["reason"]) == ("failed", "Timed out")
    receiver = clients.raw(receive_head(name))
    clients.raw(request("PUT", f"/{name}", body=b"x"))
    assert receiver.answer().body == b"x"


# B.1: an empty body


def test_a_sender_that_says_nothing_of_a_body_sends_an_empty_one(clients: Clients, name: str) -> None:
    receiver = clients.raw(receive_head(name))
    assert clients.raw(request("POST", f"/{name}")).answer().lines[-1] == lines.COMPLETE
    answer = receiver.answer()
    assert (answer.status, answer.body, answer.complete) == (200, b"", True)


# C.1, J: when a response begins


def test_no_byte_of_a_response_before_everybody_is_there(clients: Clients, name: str) -> None:
    receiver = clients.raw(receive_head(name, "n=2"))
    sender = clients.raw(request("PUT", f"/{name}?n=2", body=b"12345"))
    sender.until(lines.already(1).encode())
    assert receiver.is_silent()
    other = clients.raw(receive_head(name, "n=2"))
    assert receiver.answer().body == other.answer().body == b"12345"


# B.4, C.4, D: who is too many


def test_a_second_sender_is_refused_and_the_first_waits_on(clients: Clients, name: str) -> None:
    first = clients.raw(request("PUT", f"/{name}", body=b"first"))
    first.until(lines.waiting().encode())
    second = clients.raw(request("PUT", f"/{name}", body=b"second")).answer()
    assert (second.status, second.lines) == (400, [f"[ERROR] Path '/{name}' already has a sender connected."])
    assert clients.raw(receive_head(name)).answer().body == b"first"


def test_nobody_joins_a_running_transfer(clients: Clients, name: str) -> None:
    receiver = clients.raw(receive_head(name))
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked"))
    sender.until(lines.streaming().encode())
    busy = [f"[ERROR] Path '/{name}' is already in use by an active transfer."]
    assert clients.raw(receive_head(name)).answer().lines == busy
    assert clients.raw(request("PUT", f"/{name}", body=b"x")).answer().lines == busy
    sender.send(chunked(b"alone"))
    assert receiver.answer().body == b"alone"


def test_a_receiver_too_many_is_refused(clients: Clients, name: str) -> None:
    clients.raw(receive_head(name, "n=2"))
    clients.raw(receive_head(name, "n=2"))
    third = clients.raw(receive_head(name, "n=2"))
    taken = [f"[ERROR] All 2 receiver slot(s) for '/{name}' are already taken."]
    assert third.answer().lines == taken


# D, H: a full fan-out


def test_a_stream_has_as_many_receivers_as_the_limit_says(clients: Clients, name: str) -> None:
    receivers = [clients.raw(receive_head(name, "n=256")) for _ in range(256)]
    sender = clients.raw(request("PUT", f"/{name}?n=256", body=b"to all"))
    assert {receiver.answer().body for receiver in receivers} == {b"to all"}
    told = sender.answer().lines
    assert (told[0], told[-3:]) == (lines.waiting(256), [lines.streaming(256), lines.UPLOAD_COMPLETE, lines.COMPLETE])


# J, Z.6: one connection after the other, one request after the other


def test_a_name_is_free_as_soon_as_both_sides_saw_the_end(clients: Clients, name: str) -> None:
    sender, receiver = clients.raw(), clients.raw()
    for number in range(300):
        body = b"%d" % number * (number * number // 5)
        receiver.send(receive_head(name))
        sender.send(request("PUT", f"/{name}", body=body))
        assert receiver.answer().body == body
        told = sender.answer()
        assert told.lines[-1] == lines.COMPLETE
        assert told.complete


def test_pipelined_requests_are_answered_in_order(clients: Clients, name: str) -> None:
    """Both framings of a body, with the next head in the same segment."""
    receivers = clients.raw(b"".join(receive_head(f"{name}-{number}") for number in range(4)))
    put = [
        request("PUT", f"/{name}-0", "Transfer-Encoding: chunked") + chunked(b"zero"),
        request("PUT", f"/{name}-1", body=b"one"),
        request("PUT", f"/{name}-2", "Transfer-Encoding: chunked") + chunked(b"two", b"x" * 100_000),
        request("PUT", f"/{name}-3", body=b"y" * 200_000),
        request("GET", "/help"),
    ]
    sender = clients.raw().send(b"".join(put))
    bodies = [receivers.answer().body for _ in range(4)]
    assert bodies == [b"zero", b"one", b"two" + b"x" * 100_000, b"y" * 200_000]
    answers = [sender.answer() for _ in range(5)]
    assert [answer.lines[-1] for answer in answers[:4]] == [lines.COMPLETE] * 4
    assert answers[4].body.startswith(b"Hoody Pipe ")


# A.1, A.2, J: which name is which


@pytest.mark.parametrize(
    ("sent", "asked", "meet"),
    [
        ("caf%c3%a9-", "caf%C3%A9-", True),
        ("a/b/", "a/b/", True),
        ("a//b", "a//b", True),
        ("%41-", "A-", False),
        ("a/b/", "a/b", False),
        ("a//b", "a/b", False),
        ("caf%c3%a9", "café", False),
        ("%2B", "+", False),
        ("a.", "a.", True),
        ("...", "...", True),
    ],
)
def test_names_are_compared_as_they_are_written(clients: Clients, name: str, sent: str, asked: str, meet: bool) -> None:
    sender = clients.raw(request("PUT", f"/{name}/{sent}?wait=1", body=b"x"))
    sender.until(lines.waiting().encode())
    receiver = clients.raw(request("GET", f"/api/v1/pipe/{name}/{asked}?wait=1"))
    assert (receiver.answer().status == 200) == meet


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/{name}", "'/{name}'"),
        ("//{name}", "'//{name}'"),
        ("/api/v1/pipe/{name}", "'/{name}'"),
        ("/api/v1/pipe//{name}", "'//{name}'"),
        ("/api/v1/pipe/api/v1/pipe/{name}", "'/api/v1/pipe/{name}'"),
        ("/api/v1/pipe/api/v1/pipe?_={name}", "'/api/v1/pipe'"),
        ("/api/v1/pipe//help?_={name}", "'//help'"),
        ("/API/v1/pipe/{name}", "'/API/v1/pipe/{name}'"),
        ("/help//?_={name}", "'/help//'"),
        ("/metrics..?_={name}", "'/metrics..'"),
        ("/caf%c3%a9?_={name}", "'/caf%C3%A9'"),
    ],
)
def test_the_prefix_is_stripped_once_and_what_is_left_is_the_name(
    clients: Clients, name: str, path: str, line: str
) -> None:
    """A refusal shows it."""
    target = path.format(name=name)
    waiting = clients.raw(request("PUT", target, body=b"deep"))
    waiting.until(lines.waiting().encode())
    answer = clients.raw(request("PUT", target, body=b"")).answer()
    assert answer.lines == [f"[ERROR] Path {line.format(name=name)} already has a sender connected."]
    assert clients.raw(request("GET", target)).answer().body == b"deep"
    assert waiting.until(lines.COMPLETE.encode())


# C.1, Z.10: who leaves, and how many may wait


@pytest.mark.parametrize("party", ["sender", "receiver"])
def test_a_party_that_dies_while_it_waits_frees_the_name_within_a_second(
    clients: Clients, name: str, party: str
) -> None:
    if party == "sender":
        dying = clients.raw(request("PUT", f"/{name}", "Content-Length: 10000000") + b"x" * 1000)
        dying.until(lines.waiting().encode())
    else:
        dying = clients.raw(receive_head(name))
    dying.close()

    def is_free() -> bool:
        probe = clients.raw(request("PUT", f"/{name}?n=3&wait=1", body=b""))
        try:
            return probe.head().status == 200
        except Ended:
            return False
        finally:
            probe.close()

    assert eventually(is_free, 1.0)


def test_thousands_wait_and_a_transfer_passes_among_them(private: StartServer, name: str) -> None:
    clients = private("--max-waiting", "3000").clients
    waiting = [clients.raw(receive_head(f"{name}-{number}")) for number in range(3000)]
    refused = clients.raw(receive_head(f"{name}-more")).answer()
    assert (refused.status, refused.lines) == (429, ["[ERROR] Too many pending transfers. Try again later."])
    clients.raw(request("PUT", f"/{name}-1234", body=b"you"))
    assert waiting[1234].answer().body == b"you"
    for raw in waiting:
        raw.close()
    last = clients.raw(receive_head(f"{name}-last"))
    clients.raw(request("PUT", f"/{name}-last", body=b"free again"))
    assert last.answer().body == b"free again"


# A.2: odd names


@pytest.mark.parametrize("odd", [b"caf\xc3\xa9", b"\xff\xfe", b"a%FFb", b"%20%22'", b"{};:@&=+$,!*()~", b"x" * 900])
def test_a_name_of_odd_bytes_is_a_name_like_any_other(clients: Clients, name: str, odd: bytes) -> None:
    target = b"/" + name.encode() + b"/" + odd
    receiver = clients.raw(b"GET " + target + b"?download HTTP/1.1\r\nHost: a\r\n\r\n")
    head = b"PUT " + target + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
    sender = clients.raw(head + b"odd")
    answer = receiver.answer()
    assert (answer.status, answer.body) == (200, b"odd")
    assert sender.answer().lines[-1] == lines.COMPLETE
    waiting = clients.raw(head)
    waiting.until(lines.waiting().encode())
    assert clients.raw(head + b"odd").answer().status == 400
