"""What is said of a transfer, key by key (protocol E.1, E.2, Z.5)."""

import pytest

from hoody_pipe.core.pipe import IDLE, Ending, Standing, State
from hoody_pipe.core.progress import (
    Measure,
    Outcome,
    done_event,
    progress_event,
    state_event,
    status,
    status_of,
)

STREAMING = Standing(State.STREAMING, True, 2, 2)
HALF = Measure(500, 2.0, 1000, False, "an-id")


def test_an_unused_name_is_idle_and_every_key_is_there() -> None:
    assert status(IDLE, Measure()) == {
        "state": "idle",
        "kind": None,
        "peers": None,
        "transferId": None,
        "hasSender": False,
        "activeReceivers": 0,
        "totalReceivers": 0,
        "bytesTransferred": 0,
        "totalBytes": None,
        "speed": 0,
        "eta": None,
        "elapsed": 0.0,
        "reason": None,
        "sha256": None,
    }


def test_a_running_transfer_of_known_size_has_an_eta() -> None:
    report = status(STREAMING, HALF)
    assert [report[key] for key in ("state", "kind", "speed", "eta", "elapsed")] == ["streaming", "pipe", 250, 2, 2.0]
    assert status(Standing(State.FINISHING, True, 2, 2), HALF)["state"] == "streaming"


def test_a_waiting_name_has_no_eta() -> None:
    report = status(Standing(State.WAITING, True, 0, 1), Measure(0, 0.0, 1000))
    assert (report["state"], report["totalBytes"], report["eta"]) == ("waiting", 1000, None)


def test_an_estimate_says_so_and_more_bytes_than_that_have_no_eta() -> None:
    guess = Measure(1500, 1.0, 1000, True)
    assert (status(STREAMING, guess)["totalIsEstimate"], status(STREAMING, guess)["eta"]) == (True, None)
    assert progress_event(STREAMING, guess, 1500)["totalIsEstimate"] is True


def test_a_success_is_complete_with_its_digest() -> None:
    report = status_of(Outcome("", Ending(None, True, 1, 1, "abc"), Measure(1048576, 0.02, 1048576, False, "an-id")))
    assert report == {
        "state": "complete",
        "kind": "pipe",
        "peers": None,
        "transferId": "an-id",
        "hasSender": True,
        "activeReceivers": 1,
        "totalReceivers": 1,
        "bytesTransferred": 1048576,
        "totalBytes": 1048576,
        "speed": 52428800,
        "eta": None,
        "elapsed": 0.02,
        "reason": None,
        "sha256": "abc",
    }


def test_a_failure_says_why() -> None:
    report = status_of(Outcome("", Ending("Sender disconnected", True, 1, 1), HALF))
    assert (report["state"], report["reason"], report["sha256"]) == ("failed", "Sender disconnected", None)


def test_a_state_event_has_four_keys() -> None:
    assert state_event(IDLE) == {"state": "idle", "hasSender": False, "activeReceivers": 0, "totalReceivers": 0}


@pytest.mark.parametrize(("speed", "eta"), [(250.0, 2.0), (0.0, None)])
def test_a_progress_event_counts_bytes_receivers_and_seconds(speed: float, eta: float | None) -> None:
    assert progress_event(STREAMING, HALF, speed) == {
        "bytesTransferred": 500,
        "totalBytes": 1000,
        "speed": round(speed),
        "eta": eta,
        "activeReceivers": 2,
        "receivers": 2,
        "totalReceivers": 2,
        "elapsed": 2.0,
    }


def test_a_done_event_says_how_it_ended() -> None:
    assert done_event(Outcome("", Ending(None, True, 1, 1, "abc"), Measure(50000, 0.007, None, False, "an-id"))) == {
        "state": "complete",
        "bytesTransferred": 50000,
        "duration": 0.0,
        "avgSpeed": 7142857,
        "sha256": "abc",
        "transferId": "an-id",
    }
    failed = done_event(Outcome("", Ending("Timed out", True, 0, 1), Measure()))
    assert failed == {
        "state": "failed",
        "bytesTransferred": 0,
        "duration": 0.0,
        "avgSpeed": 0,
        "reason": "Timed out",
        "sha256": None,
    }
