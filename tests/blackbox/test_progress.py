"""Watching a transfer without taking part (protocol E.1, H)."""

import hashlib
from collections.abc import Callable
from itertools import pairwise
from types import NoneType

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import Clients, eventually
from blackbox.rawhttp import chunked, request
from blackbox.sse import Happening, Spectator, status

INT, NUMBER, TEXT = (int,), (int, float), (str,)
EVENTS: dict[str, dict[str, tuple[type, ...]]] = {
    "state": {"state": TEXT, "hasSender": (bool,), "activeReceivers": INT, "totalReceivers": INT},
    "progress": {
        "bytesTransferred": INT,
        "totalBytes": (int, NoneType),
        "speed": NUMBER,
        "eta": (int, float, NoneType),
        "activeReceivers": INT,
        "receivers": INT,
        "totalReceivers": INT,
        "elapsed": NUMBER,
    },
    "done": {
        "state": TEXT,
        "bytesTransferred": INT,
        "duration": NUMBER,
        "avgSpeed": NUMBER,
        "sha256": (str, NoneType),
        "transferId": TEXT,
    },
}
TOO_MANY = (429, ["[ERROR] Too many spectators. Try again later."])


def state(name: str, has_sender: bool, receivers: int, n: int) -> Happening:
    values = {"state": name, "hasSender": has_sender, "activeReceivers": receivers, "totalReceivers": n}
    return Happening("state", values)


# E.1, J: what a spectator reads


@pytest.mark.parametrize("accept", ["text/event-stream", "*/*", "text/html, text/event-stream", "application/json"])
def test_it_is_a_stream_of_server_sent_events(clients: Clients, name: str, accept: str) -> None:
    head = Spectator(clients, name, f"Accept: {accept}").head
    assert head.status == 200
    assert head.fields["content-type"] == "text/event-stream"
    assert head.fields["x-accel-buffering"] == "no"
    assert head.fields["cache-control"] == "no-store"


def test_the_usual_order_is_idle_waiting_streaming_progress_done(clients: Clients, name: str) -> None:
    spectator = Spectator(clients, name)
    assert spectator.next() == state("idle", False, 0, 0)
    sender = clients.raw(request("PUT", f"/{name}?n=2", body=b"x" * 100))
    assert spectator.next() == state("waiting", True, 0, 2)
    receivers = [clients.raw(request("GET", f"/{name}?n=2"))]
    assert spectator.next() == state("waiting", True, 1, 2)
    receivers.append(clients.raw(request("GET", f"/{name}?n=2")))
    assert [receiver.answer().body for receiver in receivers] == [b"x" * 100] * 2
    assert sender.answer().lines[-1] == lines.COMPLETE
    streaming, progress, *_, done = spectator.rest()
    assert streaming == state("streaming", True, 2, 2)
    assert progress.name == "progress"
    assert (done.data["state"], done.data["bytesTransferred"], done.data["sha256"]) == ("complete", 100, None)
    assert done.data["transferId"] == status(clients, name)["transferId"]


def test_every_event_has_its_keys_and_no_others_and_each_its_type(clients: Clients, name: str) -> None:
    spectator = Spectator(clients, name)
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked") + chunked(b"x" * 1000, end=False))
    receiver = clients.raw(request("GET", f"/{name}"))
    receiver.head()
    seen = [spectator.next() for _ in range(5)]
    sender.send(chunked(b"x"))
    assert receiver.until(b"0\r\n\r\n")
    seen += spectator.rest()
    assert {happening.name for happening in seen} == set(EVENTS)
    for happening in seen:
        types = EVENTS[happening.name]
        assert list(happening.data) == list(types)
        assert all(type(value) in types[key] for key, value in happening.data.items()), happening


def test_the_last_event_has_the_digest_the_id_and_a_speed_from_unrounded_time(clients: Clients, name: str) -> None:
    spectator = Spectator(clients, name)
    sender = clients.raw(request("PUT", f"/{name}?sha256&transfer=id-of-{name}", body=b"x" * 50_000))
    assert clients.raw(request("GET", f"/{name}")).answer().body == b"x" * 50_000
    digest = hashlib.sha256(b"x" * 50_000).hexdigest()
    assert f"[INFO] SHA-256: {digest}" in sender.answer().lines
    done = spectator.rest()[-1].data
    assert (done["state"], done["sha256"], done["transferId"]) == ("complete", digest, f"id-of-{name}")
    assert done["duration"] == round(done["duration"], 1)
    assert done["avgSpeed"] == status(clients, name)["speed"] > done["duration"] * 50_000


def test_receivers_that_wait_first_are_seen(clients: Clients, name: str) -> None:
    clients.raw(request("GET", f"/{name}?n=2"))
    assert eventually(lambda: status(clients, name)["activeReceivers"] == 1)
    assert Spectator(clients, name).next() == state("waiting", False, 1, 2)


def test_a_receiver_that_leaves_a_stream_is_counted_no_more(clients: Clients, name: str) -> None:
    spectator = Spectator(clients, name)
    sender = clients.raw(request("PUT", f"/{name}?n=2", "Content-Length: 2") + b"x")
    leaving, staying = (clients.raw(request("GET", f"/{name}?n=2")) for _ in range(2))
    assert spectator.until("state", state="streaming") == state("streaming", True, 2, 2)
    leaving.reset()
    assert spectator.until("state") == state("streaming", True, 1, 2)
    sender.send(b"y")
    assert staying.answer().body == b"xy"
    done = spectator.rest()[-1].data
    assert (done["state"], done["reason"]) == ("failed", "1 of 2 receivers did not get everything")


def test_one_who_comes_in_the_middle_sees_at_once_how_far_it_is(clients: Clients, name: str) -> None:
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 100") + b"x" * 40)
    receiver = clients.raw(request("GET", f"/{name}"))
    receiver.head()
    receiver.exactly(40)
    spectator = Spectator(clients, name)
    assert spectator.next() == state("streaming", True, 1, 1)
    progress = spectator.next()
    assert (progress.name, progress.data["bytesTransferred"], progress.data["totalBytes"]) == ("progress", 40, 100)
    assert progress.data["receivers"] == progress.data["activeReceivers"] == 1
    assert progress.data["speed"] > 0
    sender.send(b"x" * 60)
    receiver.exactly(60)
    assert spectator.rest()[-1].data["bytesTransferred"] == 100


def test_progress_has_a_speed_and_with_an_estimate_an_eta(private: StartServer, name: str) -> None:
    clients = private("--progress-interval", "0.02").clients
    spectator = Spectator(clients, name)
    sender = clients.raw(request("PUT", f"/{name}?size=1000000", "Transfer-Encoding: chunked"))
    receiver = clients.raw(request("GET", f"/{name}"))
    receiver.head()
    sender.send(chunked(b"x" * 500, end=False))
    seen = spectator.until("progress", bytesTransferred=500)
    assert seen.data["totalIsEstimate"] is True
    assert seen.data["speed"] > 0
    assert seen.data["eta"] > 0
    assert spectator.next().data["elapsed"] >= seen.data["elapsed"]


def test_progress_comes_no_more_often_than_the_interval(clients: Clients, name: str) -> None:
    """A transfer that moves all the time is shown four times a second."""
    spectator = Spectator(clients, name)
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked"))
    receiver = clients.raw(request("GET", f"/{name}"))
    receiver.head()
    times: list[float] = []
    while len(times) < 4:
        sender.send(chunked(b"x", end=False))
        receiver.until(b"x")
        if not spectator.raw.is_silent():
            happening = spectator.next()
            if happening.name == "progress":
                times.append(happening.data["elapsed"])
    assert all(later - earlier >= 0.24 for earlier, later in pairwise(times)), times


def test_a_crowd_is_told_less_often_so_that_it_costs_the_transfer_next_to_nothing(
    private: StartServer, name: str
) -> None:
    """Each spectator adds half a millisecond to the interval."""
    clients = private("--progress-interval", "0.01").clients
    crowd = [Spectator(clients, name) for _ in range(200)]
    clients.raw(request("PUT", f"/{name}", "Content-Length: 2") + b"x")
    clients.raw(request("GET", f"/{name}")).head()
    seen = [crowd[0].until("progress").data["elapsed"] for _ in range(4)]
    assert all(later - earlier >= 0.09 for earlier, later in pairwise(seen)), seen


def sender_dies(clients: Clients, name: str) -> None:
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 10") + b"x")
    clients.raw(request("GET", f"/{name}")).head()
    sender.reset()


def receiver_dies(clients: Clients, name: str) -> None:
    clients.raw(request("PUT", f"/{name}", "Content-Length: 10") + b"x").head()
    receiver = clients.raw(request("GET", f"/{name}"))
    receiver.head()
    receiver.reset()


def nobody_comes(clients: Clients, name: str) -> None:
    clients.raw(request("PUT", f"/{name}?wait=1", body=b"x")).answer()


@pytest.mark.parametrize(
    ("fail", "reason"),
    [
        (sender_dies, "Sender disconnected"),
        (receiver_dies, "All receivers disconnected"),
        (nobody_comes, "Timed out"),
    ],
)
def test_a_failure_says_why(clients: Clients, name: str, fail: Callable[[Clients, str], None], reason: str) -> None:
    spectator = Spectator(clients, name)
    fail(clients, name)
    done = spectator.rest()[-1].data
    assert (done["state"], done["reason"], done["sha256"]) == ("failed", reason, None)


def test_what_never_started_has_no_duration(clients: Clients, name: str) -> None:
    spectator = Spectator(clients, name)
    nobody_comes(clients, name)
    done = spectator.rest()[-1].data
    assert (done["duration"], done["bytesTransferred"], done["avgSpeed"]) == (0, 0, 0)
    assert "transferId" not in done


def test_receivers_that_leave_before_a_sender_came_leave_the_name_idle(clients: Clients, name: str) -> None:
    spectator = Spectator(clients, name)
    receiver = clients.raw(request("GET", f"/{name}"))
    assert spectator.until("state", state="waiting").data["activeReceivers"] == 1
    receiver.close()
    assert spectator.next() == state("idle", False, 0, 0)


def test_after_an_end_there_is_nothing_to_watch_until_the_name_is_used_again(clients: Clients, name: str) -> None:
    clients.raw(request("PUT", f"/{name}", body=b"x"))
    clients.raw(request("GET", f"/{name}")).answer()
    assert eventually(lambda: status(clients, name)["state"] == "complete")
    for _ in range(2):
        assert clients.raw(request("GET", f"/{name}?progress")).answer().status == 204
    clients.raw(request("PUT", f"/{name}", body=b"x")).head()
    assert Spectator(clients, name).next() == state("waiting", True, 0, 1)


def test_a_spectator_of_http_1_0_reads_to_the_end_of_the_connection(clients: Clients, name: str) -> None:
    spectator = clients.raw(request("GET", f"/{name}?progress", minor=0))
    assert spectator.until(b'"state":"idle"')
    nobody_comes(clients, name)
    answer = spectator.until(b"event: done\n") + spectator.until(b"\n\n")
    assert b"\r\n" not in answer
    assert spectator.ends_within(10)


def test_comments_keep_a_silent_stream_alive(private: StartServer, name: str) -> None:
    clients = private("--event-keep-alive", "0.1").clients
    spectator = Spectator(clients, name)
    assert spectator.next().name == "state"
    comment = b"c\r\n:keepalive\n\n\r\n"
    assert spectator.raw.exactly(2 * len(comment)) == comment * 2


# E.1, H, Z.10: limits on spectators


def test_whoever_watches_a_name_on_which_nothing_runs_is_sent_away_after_a_time(
    private: StartServer, name: str
) -> None:
    """The stream ends in good order, so that an EventSource comes again."""
    clients = private("--spectator-time", "0.3", "--max-spectators", "1").clients
    for _ in range(2):
        spectator = Spectator(clients, name)
        assert spectator.next() == state("idle", False, 0, 0)
        assert spectator.raw.until(b"0\r\n\r\n") == b"0\r\n\r\n"


def test_whoever_watches_a_transfer_may_stay_until_its_end(private: StartServer, name: str) -> None:
    clients = private("--spectator-time", "0.2").clients
    spectator = Spectator(clients, name)
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 1"))
    receiver = clients.raw(request("GET", f"/{name}"))
    receiver.head()
    assert spectator.until("state", state="streaming")
    while spectator.until("progress").data["elapsed"] < 0.6:
        pass
    sender.send(b"x")
    receiver.exactly(1)
    assert spectator.rest()[-1].data["state"] == "complete"


def test_a_spectator_that_leaves_is_forgotten(private: StartServer, name: str) -> None:
    clients = private("--max-spectators", "1").clients
    spectator = Spectator(clients, name)
    assert spectator.next() == state("idle", False, 0, 0)
    assert_too_many(clients, name)
    clients.raw(request("PUT", f"/{name}", body=b"x"))
    assert spectator.next() == state("waiting", True, 0, 1)
    spectator.raw.close()
    assert eventually(lambda: clients.raw(request("GET", f"/{name}?progress")).head().status == 200)


def assert_too_many(clients: Clients, name: str) -> None:
    answer = clients.raw(request("GET", f"/{name}?progress")).answer()
    assert (answer.status, answer.lines) == TOO_MANY


def test_only_so_many_names_have_spectators(private: StartServer, name: str) -> None:
    clients = private("--max-spectator-groups", "1").clients
    Spectator(clients, name).next()
    Spectator(clients, name).next()
    assert_too_many(clients, name + "-other")


def test_a_spectator_that_never_reads_is_dropped_and_harms_nobody(private: StartServer, name: str) -> None:
    clients = private("--progress-interval", "0.01").clients
    deaf = Spectator(clients, name, receive_buffer=2048)
    watching = Spectator(clients, name)
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked"))
    receiver = clients.raw(request("GET", f"/{name}"))
    receiver.head()
    while not deaf.raw.is_broken():
        sender.send(chunked(b"x", end=False))
        receiver.until(b"x")
        assert watching.next()
    sender.send(chunked())
    assert receiver.until(b"0\r\n\r\n")
    assert watching.rest()[-1].data["state"] == "complete"


def test_spectators_of_a_waiting_name_see_the_server_stop(private: StartServer, name: str) -> None:
    server = private()
    waiting, idle = Spectator(server.clients, name), Spectator(server.clients, name + "-idle")
    server.clients.raw(request("PUT", f"/{name}", body=b"x")).head()
    assert idle.next() == state("idle", False, 0, 0)
    server.process.terminate()
    assert waiting.rest()[-1].data["reason"] == "Server shutting down"
    assert idle.raw.exactly(5) == b"0\r\n\r\n"
    assert server.process.wait(10) == 0
