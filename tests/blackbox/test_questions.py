"""What can be asked about a transfer, now and after its end (protocol E.2, E.3, F.2, F.3, Z.5, Z.11)."""

import hashlib
import json
import threading
from collections.abc import Callable
from functools import partial
from types import NoneType
from typing import Any

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import Clients, eventually
from blackbox.rawhttp import chunked, request
from blackbox.sse import status

TYPES: dict[str, tuple[type, ...]] = {
    "state": (str,),
    "kind": (str, NoneType),
    "peers": (NoneType,),
    "transferId": (str, NoneType),
    "hasSender": (bool,),
    "activeReceivers": (int,),
    "totalReceivers": (int,),
    "bytesTransferred": (int,),
    "totalBytes": (int, NoneType),
    "speed": (int,),
    "eta": (int, NoneType),
    "elapsed": (int, float),
    "reason": (str, NoneType),
    "sha256": (str, NoneType),
}
ID = "chosen-by-the-sender-{name}"
EMPTY_DIGEST = hashlib.sha256(b"").hexdigest()


def transfer(clients: Clients, name: str, body: bytes, query: str = "") -> None:
    """One transfer that goes well."""
    sender = clients.raw(request("PUT", f"/{name}?{query}", body=body))
    receiver = clients.raw(request("GET", f"/{name}"))
    assert receiver.answer().body == body
    assert sender.answer().lines[-1] == lines.COMPLETE


def picked(report: dict[str, Any], *keys: str) -> tuple[object, ...]:
    return tuple(report[key] for key in keys)


# E.2: the status of a name


def test_an_unused_name_is_idle_with_every_key(clients: Clients, name: str) -> None:
    answer = clients.raw(request("GET", f"/{name}?status")).answer()
    assert (answer.status, answer.fields["content-type"]) == (200, "application/json")
    assert answer.fields["cache-control"] == "no-store"
    report = json.loads(answer.body)
    assert list(report) == list(TYPES)
    assert picked(report, "state", "kind", "hasSender", "activeReceivers") == ("idle", None, False, 0)


def test_every_key_is_there_with_its_type_in_every_state(clients: Clients, name: str) -> None:
    reports = [status(clients, name)]
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 1000") + b"x" * 250)
    assert eventually(lambda: status(clients, name)["hasSender"] is True)
    reports.append(status(clients, name))
    receiver = clients.raw(request("GET", f"/{name}?sha256"))
    receiver.head()
    receiver.exactly(250)
    reports.append(status(clients, name))
    sender.send(b"x" * 750)
    assert receiver.exactly(750)
    assert sender.answer().complete
    reports.append(status(clients, name))
    sender_dies(clients, name, "")
    assert eventually(lambda: status(clients, name)["state"] == "failed")
    reports.append(status(clients, name))
    assert [report["state"] for report in reports] == ["idle", "waiting", "streaming", "complete", "failed"]
    for report in reports:
        assert list(report) == list(TYPES)
        assert all(type(report[key]) in types for key, types in TYPES.items()), report
    assert [report["transferId"] is None for report in reports] == [True, True, False, False, False]
    assert [report["eta"] is None for report in reports] == [True, True, False, True, True]
    assert [report["kind"] for report in reports] == [None, "pipe", "pipe", "pipe", "pipe"]


def test_head_gives_the_head_of_the_same_answer(clients: Clients, name: str) -> None:
    got = clients.raw(request("GET", f"/{name}?status")).answer()
    head = clients.raw(request("HEAD", f"/{name}?status")).answer("HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.fields["content-length"] == str(len(got.body))
    for field in ("content-type", "cache-control"):
        assert head.fields[field] == got.fields[field]


@pytest.mark.parametrize("query", ["&n=0", "&wait=x", "&progress", "&size=huge", "=1", "=true", "&_=17"])
def test_status_is_answered_before_every_other_parameter_is_looked_at(clients: Clients, name: str, query: str) -> None:
    answer = clients.raw(request("GET", f"/{name}?status{query}", "Accept: text/html")).answer()
    assert (answer.status, json.loads(answer.body)["state"]) == (200, "idle")


def test_a_question_takes_no_slot(clients: Clients, name: str) -> None:
    receiver = clients.raw(request("GET", f"/{name}"))
    assert eventually(lambda: status(clients, name)["activeReceivers"] == 1)
    assert picked(status(clients, name), "state", "hasSender", "totalReceivers") == ("waiting", False, 1)
    sender = clients.raw(request("PUT", f"/{name}", body=b"x"))
    assert receiver.answer().body == b"x"
    assert sender.answer().lines[-1] == lines.COMPLETE


def test_a_waiting_sender_shows_its_id_and_its_length(clients: Clients, name: str) -> None:
    chosen = ID.format(name=name)
    clients.raw(request("PUT", f"/{name}?n=3&transfer={chosen}", "Content-Length: 12345")).head()
    report = status(clients, name)
    assert picked(report, "state", "kind", "transferId", "totalBytes") == ("waiting", "pipe", chosen, 12345)
    assert picked(report, "hasSender", "activeReceivers", "totalReceivers", "eta") == (True, 0, 3, None)


def test_a_running_transfer_shows_how_far_it_is(clients: Clients, name: str) -> None:
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 1000") + b"x" * 250)
    receiver = clients.raw(request("GET", f"/{name}"))
    generated = receiver.head().fields["x-hoody-pipe-transfer-id"]
    receiver.exactly(250)
    report = status(clients, name)
    assert picked(report, "state", "bytesTransferred", "totalBytes") == ("streaming", 250, 1000)
    assert picked(report, "hasSender", "activeReceivers", "transferId") == (True, 1, generated)
    assert isinstance(report["eta"], int)
    sender.send(b"x" * 750)
    receiver.exactly(750)


def test_an_end_stays_visible_until_the_name_is_used_again(clients: Clients, name: str) -> None:
    transfer(clients, name, b"x" * 100)
    report = status(clients, name)
    assert picked(report, "state", "kind", "bytesTransferred", "totalBytes") == ("complete", "pipe", 100, 100)
    assert picked(report, "hasSender", "activeReceivers", "totalReceivers", "eta") == (True, 1, 1, None)
    assert report == status(clients, name)
    receiver = clients.raw(request("GET", f"/{name}"))
    assert eventually(lambda: status(clients, name)["state"] == "waiting")
    receiver.close()
    assert eventually(lambda: status(clients, name)["state"] == "idle")
    transfer(clients, name, b"y")
    assert status(clients, name)["state"] == "complete"
    clients.raw(request("PUT", f"/{name}", body=b"z")).head()
    assert picked(status(clients, name), "state", "bytesTransferred", "elapsed") == ("waiting", 0, 0)


def test_an_end_is_visible_for_so_long_and_then_idle(private: StartServer, name: str) -> None:
    clients = private("--recent-time", "0.3").clients
    transfer(clients, name, b"x")
    assert eventually(lambda: status(clients, name)["state"] == "idle")


def test_only_so_many_ends_are_visible(private: StartServer, name: str) -> None:
    clients = private("--recent", "2").clients
    for number in range(3):
        transfer(clients, name + str(number), b"x")
    assert [status(clients, name + str(number))["state"] for number in range(3)] == ["idle", "complete", "complete"]


def sender_dies(clients: Clients, name: str, query: str) -> None:
    sender = clients.raw(request("PUT", f"/{name}?{query}", "Content-Length: 10") + b"x")
    clients.raw(request("GET", f"/{name}")).head()
    sender.reset()


def receiver_dies(clients: Clients, name: str, query: str) -> None:
    clients.raw(request("PUT", f"/{name}?{query}", "Content-Length: 10") + b"x").head()
    receiver = clients.raw(request("GET", f"/{name}"))
    receiver.head()
    receiver.reset()


def body_is_malformed(clients: Clients, name: str, query: str) -> None:
    clients.raw(request("PUT", f"/{name}?{query}", "Transfer-Encoding: chunked") + b"x\r\n").head()
    clients.raw(request("GET", f"/{name}"))


def sender_times_out(clients: Clients, name: str, query: str) -> None:
    clients.raw(request("PUT", f"/{name}?wait=1&{query}", body=b"x")).answer()


def sender_gives_up(clients: Clients, name: str, query: str) -> None:
    sender = clients.raw(request("PUT", f"/{name}?{query}", body=b"x"))
    sender.head()
    sender.close()


FAILURES = [
    (sender_dies, "Sender disconnected", "Sender disconnected"),
    (receiver_dies, "All receivers disconnected", "All receivers disconnected"),
    (body_is_malformed, "Sender encountered an error", "Sender encountered an error"),
    (sender_times_out, "Timed out", "Timed out waiting for receivers"),
    (sender_gives_up, "Sender disconnected", "Sender disconnected"),
]


@pytest.mark.parametrize(("fail", "shown", "filed"), FAILURES, ids=[failure[0].__name__ for failure in FAILURES])
def test_a_failure_says_why_in_the_status_and_in_the_receipt(
    clients: Clients, name: str, fail: Callable[[Clients, str, str], None], shown: str, filed: str
) -> None:
    chosen = ID.format(name=name)
    fail(clients, name, f"transfer={chosen}&sha256")
    assert eventually(lambda: status(clients, name)["state"] == "failed")
    assert picked(status(clients, name), "reason", "sha256", "transferId") == (shown, None, chosen)
    receipt = status(clients, name, f"&transfer={chosen}")
    assert picked(receipt, "state", "reason", "sha256") == ("failed", filed, None)


@pytest.mark.parametrize(
    ("flags", "busy", "body", "reason"),
    [
        (("--max-active", "1"), True, b"x", "Server at capacity"),
        (("--idle-timeout", "0.2"), False, b"", "Idle timeout"),
    ],
)
def test_a_limit_of_the_server_is_a_reason_too(
    private: StartServer, name: str, flags: tuple[str, str], busy: bool, body: bytes, reason: str
) -> None:
    clients = private(*flags).clients
    if busy:
        clients.raw(request("PUT", f"/{name}-busy", "Content-Length: 1"))
        clients.raw(request("GET", f"/{name}-busy")).head()
    chosen = ID.format(name=name)
    clients.raw(request("PUT", f"/{name}?transfer={chosen}", "Content-Length: 1") + body)
    clients.raw(request("GET", f"/{name}"))
    for query in ("", f"&transfer={chosen}", "&last"):
        assert eventually(lambda query=query: status(clients, name, query)["reason"] == reason)  # type: ignore[misc]
        assert status(clients, name, query)["state"] == "failed"


# E.3: receipts


def test_a_receiver_that_asks_in_the_same_millisecond_gets_its_receipt(clients: Clients, name: str) -> None:
    """The end of the body is read, the question is sent: on the same connection, or on one that is open already."""
    for turn, (size, same) in enumerate([(10, True), (10, False), (3 << 20, True), (3 << 20, False)]):
        body, chosen = bytes(size), f"{ID.format(name=name)}-{turn}"
        other = clients.raw()
        receiver = clients.raw(request("GET", f"/{name}"))
        sender = clients.raw(request("PUT", f"/{name}?sha256&transfer={chosen}", f"Content-Length: {size}"))
        threading.Thread(target=sender.offer, args=(body,), daemon=True).start()
        assert receiver.answer().body == body
        answer = (receiver if same else other).send(request("GET", f"/{name}?status&transfer={chosen}")).answer()
        report = json.loads(answer.body)
        assert picked(report, "state", "sha256") == ("complete", hashlib.sha256(body).hexdigest()), (size, same)
        assert sender.answer().lines[-1] == lines.COMPLETE


def test_a_question_about_a_receipt_that_cannot_be_there_yet_is_answered_as_things_are(
    private: StartServer, name: str
) -> None:
    """A receiver that has stopped reading the tail may take for ever."""
    clients = private("--grace", "0.05").clients
    chosen, size = ID.format(name=name), 200_000
    sender = clients.raw(request("PUT", f"/{name}?transfer={chosen}", "Content-Length: 200000"))
    receiver = clients.raw(request("GET", f"/{name}", "User-Agent: curl/8"), receive_buffer=4096)
    sender.send(bytes(size))
    assert lines.UPLOAD_COMPLETE.encode() in sender.until(lines.UPLOAD_COMPLETE.encode())
    assert status(clients, name, f"&transfer={chosen}")["state"] == "streaming"
    assert len(receiver.answer().body) == size
    receiver.close()
    assert sender.until(lines.COMPLETE.encode())
    assert status(clients, name, f"&transfer={chosen}")["state"] == "complete"


def test_one_who_asks_for_a_receipt_and_leaves_is_forgotten(private: StartServer, name: str) -> None:
    server = private()
    clients = server.clients
    chosen = ID.format(name=name)
    sender = clients.raw(request("PUT", f"/{name}?transfer={chosen}", "Content-Length: 200000"))
    receiver = clients.raw(request("GET", f"/{name}", "User-Agent: curl/8"), receive_buffer=4096)
    sender.send(bytes(200_000)).until(lines.UPLOAD_COMPLETE.encode())
    clients.raw(request("GET", f"/{name}?status&transfer={chosen}")).close()
    assert len(receiver.answer().body) == 200_000
    receiver.close()
    assert sender.until(lines.COMPLETE.encode())


@pytest.mark.parametrize("chosen", ["", "&transfer=" + ID])
def test_the_id_of_a_transfer_that_is_there_shows_how_it_stands(clients: Clients, name: str, chosen: str) -> None:
    """Before there is a receipt, and also when there will be none."""
    sender = clients.raw(request("PUT", f"/{name}?_{chosen.format(name=name)}", "Content-Length: 2") + b"x")
    sender.head()
    if chosen:
        assert status(clients, name, chosen.format(name=name))["state"] == "waiting"
    receiver = clients.raw(request("GET", f"/{name}"))
    transfer_id = receiver.head().fields["x-hoody-pipe-transfer-id"]
    assert status(clients, name, f"&transfer={transfer_id}")["state"] == "streaming"
    answer = clients.raw(request("GET", f"/{name}-other?status&transfer={transfer_id}")).answer()
    assert answer.status == 404
    sender.send(b"y")
    receiver.exactly(2)
    assert eventually(lambda: status(clients, name)["state"] == "complete")
    found = clients.raw(request("HEAD", f"/{name}?status&transfer={transfer_id}")).answer("HEAD")
    assert found.status == (200 if chosen else 404)


def test_a_receipt_outlives_the_next_use_of_its_name_and_needs_it(clients: Clients, name: str) -> None:
    chosen = ID.format(name=name)
    transfer(clients, name, b"first", f"transfer={chosen}")
    transfer(clients, name, b"the second")
    assert status(clients, name, f"&transfer={chosen}")["bytesTransferred"] == 5
    assert status(clients, name)["bytesTransferred"] == 10
    answer = clients.raw(request("GET", f"/{name}-other?status&transfer={chosen}")).answer()
    assert (answer.status, answer.lines) == (404, ["[ERROR] Unknown or expired transfer."])


def test_a_transfer_without_digest_or_id_leaves_no_receipt(clients: Clients, name: str) -> None:
    transfer(clients, name, b"x")
    generated = status(clients, name)["transferId"]
    transfer(clients, name, b"y")
    answer = clients.raw(request("GET", f"/{name}?status&transfer={generated}")).answer()
    assert (answer.status, answer.lines) == (404, ["[ERROR] Unknown or expired transfer."])


def test_a_hashed_transfer_leaves_a_receipt_under_its_generated_id(clients: Clients, name: str) -> None:
    transfer(clients, name, b"x", "sha256")
    generated = status(clients, name)["transferId"]
    transfer(clients, name, b"y")
    report = status(clients, name, f"&transfer={generated}")
    assert picked(report, "state", "sha256") == ("complete", hashlib.sha256(b"x").hexdigest())


def test_receipts_expire_and_are_limited_in_number(private: StartServer, name: str) -> None:
    clients = private("--receipts", "1", "--receipt-time", "0.3", "--recent-time", "0.1").clients
    chosen = ID.format(name=name)
    for number in range(2):
        transfer(clients, name, b"x", f"transfer={chosen}-{number}")

    def found(number: int) -> bool:
        raw = clients.raw(request("GET", f"/{name}?status&transfer={chosen}-{number}"))
        return raw.answer().status == 200

    assert not found(0)
    assert eventually(lambda: not found(1))
    transfer(clients, name, b"x", f"transfer={chosen}-1")  # and then the id may be used again


# F.2: digests


def as_it_is(body: bytes) -> tuple[str, bytes]:
    """With a Content-Length."""
    return f"Content-Length: {len(body)}", body


def in_chunks(size: int, body: bytes) -> tuple[str, bytes]:
    """In chunks of this size."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return "Transfer-Encoding: chunked", chunked(*pieces)


FRAMINGS: dict[str, Callable[[bytes], tuple[str, bytes]]] = {
    "Content-Length": as_it_is,
    "chunked": partial(in_chunks, 70_000),
    "small chunks": partial(in_chunks, 100),
}


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("size", [0, 1, 65_537, 5_000_000])
@pytest.mark.parametrize("count", [1, 3])
def test_the_digest_is_that_of_the_bytes_however_they_come(
    clients: Clients, name: str, framing: str, size: int, count: int
) -> None:
    body = (bytes(range(251)) * (size // 251 + 1))[:size]
    field, framed = FRAMINGS[framing](body)
    receivers = [clients.curl("--output", "-", clients.pipe(name, f"n={count}")) for _ in range(count)]
    sender = clients.raw(request("PUT", f"/{name}?n={count}&sha256", field))
    threading.Thread(target=sender.offer, args=(framed,), daemon=True).start()
    assert [receiver.finish().out == body for receiver in receivers] == [True] * count
    told = sender.answer().lines
    assert told[-3:] == [
        lines.UPLOAD_COMPLETE,
        f"[INFO] SHA-256: {hashlib.sha256(body).hexdigest()}",
        lines.COMPLETE,
    ]
    assert status(clients, name)["sha256"] == hashlib.sha256(body).hexdigest()


def test_the_digest_is_the_one_that_sha256sum_prints(clients: Clients, name: str) -> None:
    body = b"the same bytes" * 100_000
    path = clients.file(body)
    printed = clients.run("sha256sum", path).finish().out.decode().split()[0]
    receiver = clients.receive(name)
    sender = clients.curl("-T", path, clients.pipe(name, "sha256"))
    assert f"[INFO] SHA-256: {printed}" in sender.finish().lines
    assert receiver.finish().out == body


def test_any_one_receiver_may_ask_for_the_digest(clients: Clients, name: str) -> None:
    sender = clients.raw(request("PUT", f"/{name}?n=2", body=b"x"))
    plain, asking = (clients.raw(request("GET", f"/{name}?n=2{query}")) for query in ("", "&sha256"))
    assert plain.answer().body == asking.answer().body == b"x"
    assert f"[INFO] SHA-256: {hashlib.sha256(b'x').hexdigest()}" in sender.answer().lines


@pytest.mark.parametrize("off", ["sha256=0", "sha256=false", "sha256=no"])
def test_a_digest_that_is_switched_off_is_not_made(clients: Clients, name: str, off: str) -> None:
    transfer(clients, name, b"x", off)
    assert status(clients, name)["sha256"] is None


# F.3: ids


def test_an_id_that_waits_runs_or_has_a_receipt_is_in_use(clients: Clients, name: str) -> None:
    chosen = ID.format(name=name)

    def again() -> tuple[int, list[str]]:
        answer = clients.raw(request("PUT", f"/{name}-other?transfer={chosen}", body=b"")).answer()
        return answer.status, answer.lines

    in_use = (409, ["[ERROR] Transfer id already in use."])
    sender = clients.raw(request("PUT", f"/{name}?transfer={chosen}", "Content-Length: 2") + b"x")
    sender.head()
    assert again() == in_use
    receiver = clients.raw(request("GET", f"/{name}"))
    assert receiver.head().fields["x-hoody-pipe-transfer-id"] == chosen
    assert again() == in_use
    sender.send(b"y")
    assert receiver.exactly(2) == b"xy"
    assert eventually(lambda: status(clients, name)["state"] == "complete")
    assert again() == in_use


def test_a_generated_id_is_in_use_while_its_transfer_runs_and_lingers(private: StartServer, name: str) -> None:
    clients = private("--recent-time", "0.3").clients
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 2") + b"x")
    receiver = clients.raw(request("GET", f"/{name}"))
    generated = receiver.head().fields["x-hoody-pipe-transfer-id"]

    def again() -> int:
        raw = clients.raw(request("PUT", f"/{name}-other?transfer={generated}", body=b""))
        code = raw.head().status
        raw.close()
        return code

    assert again() == 409
    sender.send(b"y")
    assert receiver.exactly(2) == b"xy"
    assert sender.answer().lines[-1] == lines.COMPLETE
    assert again() == 409
    assert eventually(lambda: again() == 200)


def test_an_id_is_free_again_when_its_sender_was_refused(clients: Clients, name: str) -> None:
    chosen = ID.format(name=name)
    clients.raw(request("PUT", f"/{name}", body=b"")).head()
    assert clients.raw(request("PUT", f"/{name}?transfer={chosen}", body=b"")).answer().status == 400
    transfer(clients, name + "-2", b"x", f"transfer={chosen}")


def test_status_of_an_id_cannot_be_asked_of_a_websocket(clients: Clients, name: str) -> None:
    answer = clients.raw(request("GET", f"/{name}?status&ws&transfer={'x' * 16}")).answer()
    assert (answer.status, answer.lines) == (400, ['[ERROR] "transfer" is not supported with ?ws.'])


# Z.5: estimates of the size


@pytest.mark.parametrize(
    ("size", "total"), [("1000", 1000), ("200G", 200 * 10**9), ("1.5T", 15 * 10**11), ("10GiB", 10 << 30)]
)
def test_an_estimate_makes_the_total_known(clients: Clients, name: str, size: str, total: int) -> None:
    sender = clients.raw(
        request("PUT", f"/{name}?size={size}", "Transfer-Encoding: chunked") + chunked(b"x", end=False)
    )
    assert sender.head().status == 200
    assert picked(status(clients, name), "totalBytes", "totalIsEstimate") == (total, True)
    clients.raw(request("GET", f"/{name}")).until(b"1\r\nx\r\n")
    report = status(clients, name)
    assert picked(report, "state", "totalBytes", "totalIsEstimate") == ("streaming", total, True)
    assert isinstance(report["eta"], int)


def test_an_estimate_checks_nothing(clients: Clients, name: str) -> None:
    sender = clients.raw(request("PUT", f"/{name}?size=1", "Transfer-Encoding: chunked") + chunked(b"more than one"))
    assert clients.raw(request("GET", f"/{name}")).answer().body == b"more than one"
    assert sender.answer().lines[-1] == lines.COMPLETE
    assert picked(status(clients, name), "totalBytes", "bytesTransferred") == (1, 13)


def test_a_known_length_is_no_estimate(clients: Clients, name: str) -> None:
    transfer(clients, name, b"x" * 10, "size=99")
    report = status(clients, name)
    assert (report["totalBytes"], "totalIsEstimate" in report) == (10, False)


# Z.11: the last outcome


def test_the_last_outcome_is_kept_for_so_long(private: StartServer, name: str) -> None:
    clients = private("--outcome-time", "0.5", "--recent-time", "0.1").clients
    transfer(clients, name, b"x")
    assert status(clients, name, "&last")["state"] == "complete"
    assert eventually(lambda: clients.raw(request("GET", f"/{name}?status&last")).answer().status == 404)


def test_the_last_outcome_of_a_name_outlives_everything_else(private: StartServer, name: str) -> None:
    clients = private("--recent-time", "0.1", "--outcomes", "2").clients
    transfer(clients, name, b"x" * 7)
    assert eventually(lambda: status(clients, name)["state"] == "idle")
    assert picked(status(clients, name, "&last"), "state", "bytesTransferred", "reason") == ("complete", 7, None)
    clients.raw(request("PUT", f"/{name}", body=b"")).head()
    assert status(clients, name)["state"] == "waiting"
    assert status(clients, name, "&last")["state"] == "complete"
    for number in range(2):
        transfer(clients, name + str(number), b"x")
    answer = clients.raw(request("GET", f"/{name}?status&last")).answer()
    assert (answer.status, answer.lines) == (404, ["[ERROR] Unknown or expired transfer."])
