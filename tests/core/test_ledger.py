"""What is remembered of transfers that ended, and for how long (protocol E, H, Z.11)."""

from hoody_pipe.core.ledger import Ledger, Memory
from hoody_pipe.core.names import secret
from hoody_pipe.core.pipe import Ending
from hoody_pipe.core.progress import Measure, Outcome

MEMORY = Memory(recent_seconds=30, recent=3, receipt_seconds=600, receipts=2, last_seconds=86400, last=3)


def outcome(name: str, transfer: str = "transfer-number-1") -> Outcome:
    return Outcome(secret(name), Ending(None, True, 1, 1), Measure(5, 1.0, 5, False, transfer))


def test_a_name_shows_its_end_for_a_while_and_the_last_one_for_a_day() -> None:
    ledger = Ledger(MEMORY)
    ended = outcome("/x")
    ledger.close("/x", ended, 100)
    assert ledger.recent("/x", 129.9) is ended
    assert ledger.recent("/x", 130) is None
    assert ledger.last("/x", 86499) is ended
    assert ledger.last("/x", 86500) is None
    assert ledger.recent("/y", 100) is None


def test_a_name_that_was_used_again_in_vain_shows_nothing_but_keeps_its_last_outcome() -> None:
    ledger = Ledger(MEMORY)
    ended = outcome("/x")
    ledger.close("/x", ended, 100)
    ledger.close("/x", None, 101)
    assert ledger.recent("/x", 102) is None
    assert ledger.last("/x", 102) is ended


def test_what_one_ledger_keeps_another_goes_on_keeping() -> None:
    before, after = Ledger(MEMORY), Ledger(MEMORY)
    ended = outcome("/x")
    before.close("/x", ended, 100)
    before.file(ended, 100)
    before.close("/old", outcome("/old"), 60)
    for shelf, age, kept in before.kept(110):
        after.keep(shelf, age, kept, 1010)
    assert after.recent("/x", 1029) is ended
    assert after.recent("/x", 1030) is None
    assert after.receipt("/x", "transfer-number-1", 1500) is ended
    assert after.last("/old", 86000) is not None
    assert after.recent("/old", 1010) is None


def test_the_oldest_goes_first_when_there_are_too_many() -> None:
    ledger = Ledger(MEMORY)
    for second, name in enumerate(["/a", "/b", "/a", "/c", "/d"]):
        ledger.close(name, outcome(name), second)
    assert ledger.last("/b", 5) is None
    assert all(ledger.last(name, 5) for name in ("/a", "/c", "/d"))


def test_what_is_too_old_does_not_stay_in_memory() -> None:
    ledger = Ledger(MEMORY)
    ledger.file(outcome("/x"), 0)
    ledger.file(outcome("/x", "transfer-number-2"), 600)
    assert not ledger.has_transfer("transfer-number-1", 0)


def test_a_receipt_needs_its_id_and_its_name() -> None:
    ledger = Ledger(MEMORY)
    ledger.file(outcome("/x"), 0)
    assert ledger.receipt("/x", "transfer-number-1", 599) is not None
    assert ledger.receipt("/y", "transfer-number-1", 1) is None
    assert ledger.receipt("/x", "transfer-number-2", 1) is None
    assert ledger.receipt("/x", "transfer-number-1", 600) is None
    assert ledger.has_transfer("transfer-number-1", 1)


def test_the_id_of_a_transfer_that_ended_just_now_is_in_use_without_a_receipt() -> None:
    ledger, heir = Ledger(MEMORY), Ledger(MEMORY)
    ledger.close("/x", outcome("/x"), 0)
    for shelf, age, kept in ledger.kept(10):
        heir.keep(shelf, age, kept, 10)
    for one in (ledger, heir):
        assert one.has_transfer("transfer-number-1", 29)
        assert not one.has_transfer("transfer-number-1", 30)


def test_what_has_no_id_leaves_no_receipt() -> None:
    ledger = Ledger(MEMORY)
    ledger.file(Outcome(secret("/x"), Ending("Timed out", True, 0, 1), Measure()), 0)
    assert not ledger.has_transfer("", 0)
