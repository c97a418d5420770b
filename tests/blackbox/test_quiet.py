"""Quiet mode: a sender behind a proxy is answered when the outcome is known (protocol Z.4)."""

from collections.abc import Callable

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import Clients, eventually
from blackbox.rawhttp import Answer, Raw, request
from blackbox.sse import status

PROXIED = ["X-Forwarded-For: 192.0.2.7", "Forwarded: for=192.0.2.7", "Via: 1.1 proxy"]


# Z.4: quiet mode


def delivered(clients: Clients, name: str, *fields: str, query: str = "") -> Answer:
    """A transfer that goes well; the sender's answer, of which nothing may come before the receiver has everything."""
    sender = clients.raw(request("PUT", f"/{name}?{query}", "Content-Length: 2", *fields) + b"o")
    assert eventually(lambda: status(clients, name)["hasSender"] is True)
    receiver = clients.raw(request("GET", f"/{name}"))
    receiver.head()
    receiver.exactly(1)
    is_quiet = sender.is_silent()
    sender.send(b"k")
    receiver.exactly(1)
    answer = sender.answer()
    assert ("content-length" in answer.fields) is is_quiet
    return answer


@pytest.mark.parametrize("field", PROXIED)
def test_a_sender_behind_a_proxy_is_answered_at_the_end(clients: Clients, name: str, field: str) -> None:
    answer = delivered(clients, name, field)
    assert (answer.status, answer.complete) == (200, True)
    assert answer.lines == lines.whole()
    assert "content-length" in answer.fields


@pytest.mark.parametrize("query", ["quiet", "quiet=1", "quiet=true"])
def test_a_sender_may_ask_for_it(clients: Clients, name: str, query: str) -> None:
    assert "content-length" in delivered(clients, name, query=query).fields


@pytest.mark.parametrize("query", ["quiet=0", "quiet=false", "quiet=no"])
def test_a_sender_behind_a_proxy_may_ask_to_be_answered_at_once(clients: Clients, name: str, query: str) -> None:
    assert "content-length" not in delivered(clients, name, PROXIED[0], query=query).fields


def test_a_direct_sender_is_answered_at_once(clients: Clients, name: str) -> None:
    assert "content-length" not in delivered(clients, name).fields


@pytest.mark.parametrize(("mode", "field", "is_quiet"), [("always", PROXIED[0], False), ("never", "X-Other: 1", True)])
def test_the_operator_may_decide(private: StartServer, name: str, mode: str, field: str, is_quiet: bool) -> None:
    clients = private("--early-status", mode).clients
    assert ("content-length" in delivered(clients, name, field).fields) is is_quiet


def nobody_comes(clients: Clients, name: str) -> Raw:
    return clients.raw(request("PUT", f"/{name}?quiet&wait=1", body=b"x"))


def the_receiver_dies(clients: Clients, name: str) -> Raw:
    sender = clients.raw(request("PUT", f"/{name}?quiet", "Content-Length: 2") + b"x")
    receiver = clients.raw(request("GET", f"/{name}"))
    receiver.head()
    receiver.reset()
    return sender


def one_of_two_dies(clients: Clients, name: str) -> Raw:
    sender = clients.raw(request("PUT", f"/{name}?quiet&n=2", "Content-Length: 2") + b"x")
    dying, living = (clients.raw(request("GET", f"/{name}?n=2")) for _ in range(2))
    living.head()
    dying.head()
    dying.reset()
    assert eventually(lambda: status(clients, name)["activeReceivers"] == 1)
    sender.send(b"y")
    return sender


def the_body_is_malformed(clients: Clients, name: str) -> Raw:
    sender = clients.raw(request("PUT", f"/{name}?quiet", "Transfer-Encoding: chunked") + b"x\r\n")
    clients.raw(request("GET", f"/{name}"))
    return sender


FAILURES = [
    (nobody_comes, 410, lines.NO_RECEIVERS),
    (the_receiver_dies, 409, lines.ALL_LEFT),
    (one_of_two_dies, 409, lines.incomplete(1, 2)),
    (the_body_is_malformed, 400, lines.SENDER_FAILED),
]


@pytest.mark.parametrize(("fail", "code", "line"), FAILURES, ids=[failure[0].__name__ for failure in FAILURES])
def test_a_failure_has_a_status_that_nobody_retries_and_a_broken_end(
    clients: Clients, name: str, fail: Callable[[Clients, str], Raw], code: int, line: str
) -> None:
    answer = fail(clients, name).answer()
    assert (answer.status, answer.complete, answer.lines[-1]) == (code, False, line)


def test_the_body_is_asked_for_at_once_although_the_answer_comes_later(clients: Clients, name: str) -> None:
    sender = clients.raw(request("PUT", f"/{name}?quiet", "Expect: 100-continue", "Content-Length: 1"))
    assert sender.head().status == 100
    assert sender.is_silent()


def test_a_waiting_receiver_behind_a_proxy_gets_signs_of_life(private: StartServer, name: str) -> None:
    clients = private("--heartbeat", "0.1").clients
    direct = clients.raw(request("GET", f"/{name}?n=3"))
    old = clients.raw(request("GET", f"/{name}?n=3", PROXIED[0], minor=0))
    proxied = clients.raw(request("GET", f"/{name}?n=3", PROXIED[0]))
    assert [proxied.head().status for _ in range(3)] == [102, 102, 102]
    assert direct.is_silent()
    assert old.is_silent()
    clients.raw(request("PUT", f"/{name}?n=3", body=b"x"))
    assert [receiver.answer().body for receiver in (direct, old, proxied)] == [b"x"] * 3
