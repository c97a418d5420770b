"""The life of one name (protocol B.3, C.1, D, Z.2)."""

from itertools import product
from typing import get_args

from hoody_pipe.core import messages
from hoody_pipe.core.limits import Limits
from hoody_pipe.core.pipe import (
    IDLE,
    IGNORED,
    TABLE,
    Action,
    Arm,
    BodyRead,
    Break,
    Conclude,
    Delivered,
    EndClean,
    Ending,
    Event,
    Forget,
    IdleExpired,
    PartyLeft,
    ReceiverArrived,
    Refuse,
    SenderArrived,
    SenderFailed,
    Standing,
    StartMove,
    State,
    StopMove,
    Tell,
    WaitExpired,
)
from hoody_pipe.core.rendezvous import Rendezvous
from hoody_pipe.errors import Refusal

NAME = "/x"
ID = "chosen-by-the-sender"
FREE = Forget(NAME, None)


class Names:
    """A registry with one name in it, fed with short words."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.rendezvous = Rendezvous(limits or Limits())
        self.concluded: Ending | None = None  # what the sender's attempt came to
        self.ended: Ending | None = None  # what is shown of the name

    def handle(self, event: Event) -> list[Action]:
        """Take one event; how things ended is kept aside."""
        return self._keep_endings(self.rendezvous.handle(event))

    def shut_down(self) -> list[Action]:
        return self._keep_endings(self.rendezvous.shut_down())

    def abort(self) -> list[Action]:
        return self._keep_endings(self.rendezvous.abort())

    def _keep_endings(self, all_actions: list[Action]) -> list[Action]:
        actions: list[Action] = []
        for action in all_actions:
            if isinstance(action, Conclude):
                self.concluded = action.ending
            elif isinstance(action, Forget):
                self.ended = action.ending
                actions.append(Forget(action.name, None))
            else:
                actions.append(action)
        return actions

    def sender(self, party: str = "s", n: int = 1, require_any: bool = False, name: str = NAME) -> list[Action]:
        return self.handle(SenderArrived(name, party, n, 300, require_any, transfer=ID))

    def receiver(self, party: str = "r", n: int = 1, name: str = NAME) -> list[Action]:
        return self.handle(ReceiverArrived(name, party, n, 60))

    def streaming(self, n: int = 1, require_any: bool = False) -> "Names":
        self.sender(n=n, require_any=require_any)
        for number in range(n):
            self.receiver(f"r{number}", n)
        assert self.rendezvous.active == 1
        return self

    def finishing(self, n: int = 1, require_any: bool = False) -> "Names":
        self.streaming(n, require_any)
        assert self.body_read() == [Tell("s", messages.UPLOAD_COMPLETE)]
        return self

    def left(self, party: str) -> list[Action]:
        return self.handle(PartyLeft(NAME, party))

    def expired(self, party: str) -> list[Action]:
        return self.handle(WaitExpired(NAME, party))

    def delivered(self, party: str) -> list[Action]:
        return self.handle(Delivered(NAME, party))

    def body_read(self) -> list[Action]:
        return self.handle(BodyRead(NAME))

    def is_free(self) -> bool:
        return self.rendezvous.waiting == self.rendezvous.active == 0


def test_every_pair_of_state_and_event_is_decided_once() -> None:
    pairs = set(product(State, get_args(Event)))
    assert set(TABLE) | IGNORED == pairs
    assert not set(TABLE) & IGNORED


def test_sender_first() -> None:
    names = Names()
    assert names.sender() == [Tell("s", "[INFO] Waiting for 1 receiver(s) to connect..."), Arm("s", 300)]
    assert names.receiver() == [Tell("s", "[INFO] Streaming to 1 receiver(s)..."), StartMove("s", ("r",))]


def test_receiver_first() -> None:
    names = Names()
    assert names.receiver() == [Arm("r", 60)]
    assert names.sender() == [
        Tell("s", "[INFO] Waiting for 1 receiver(s) to connect..."),
        Tell("s", "[INFO] 1 receiver(s) already connected."),
        Tell("s", "[INFO] Streaming to 1 receiver(s)..."),
        StartMove("s", ("r",)),
    ]


def test_a_delivery_to_all_is_a_clean_end_and_frees_the_name() -> None:
    names = Names().finishing(2)
    assert names.delivered("r0") == []
    assert names.delivered("r1") == [Tell("s", "[INFO] Transfer complete."), EndClean("s"), FREE]
    assert names.is_free()


def test_a_second_sender_is_refused_and_leaves_the_first_alone() -> None:
    names = Names()
    names.sender()
    assert names.sender("t") == [Refuse("t", Refusal(400, "[ERROR] Path '/x' already has a sender connected."))]
    assert names.left("t") == []
    assert names.rendezvous.waiting == 1


def test_all_parties_agree_on_n() -> None:
    names = Names()
    names.receiver(n=2)
    mismatch = Refusal(400, "[ERROR] Receiver count mismatch — expected 2 but got 1.")
    assert names.sender(n=1) == [Refuse("s", mismatch)]
    assert names.receiver("q", n=1) == [Refuse("q", mismatch)]


def test_a_receiver_too_many_is_refused() -> None:
    names = Names()
    names.receiver("a")
    taken = Refusal(400, "[ERROR] All 1 receiver slot(s) for '/x' are already taken.")
    assert names.receiver("b") == [Refuse("b", taken)]


def test_nobody_joins_while_streaming_or_finishing() -> None:
    busy = Refusal(400, "[ERROR] Path '/x' is already in use by an active transfer.")
    for names in (Names().streaming(), Names().finishing()):
        assert names.sender("t") == [Refuse("t", busy)]
        assert names.receiver("q") == [Refuse("q", busy)]


def test_a_waiting_sender_that_leaves_frees_the_name_unless_receivers_wait() -> None:
    names = Names()
    names.sender(n=2)
    names.receiver(n=2)
    assert names.left("s") == []
    assert names.left("r") == [FREE]
    names.sender()
    assert names.left("s") == [FREE]


def test_a_waiting_receiver_that_leaves_is_told_to_the_sender() -> None:
    names = Names()
    names.sender(n=2)
    names.receiver(n=2)
    assert names.left("r") == [Tell("s", "[INFO] A receiver disconnected.")]


def test_a_receiver_whose_wait_is_over_gets_408_with_what_it_waited_for() -> None:
    names = Names()
    names.receiver(n=2)
    assert names.expired("r") == [Refuse("r", Refusal(408, "[ERROR] Timed out waiting for sender.")), FREE]
    names.sender(n=2)
    names.receiver(n=2)
    assert names.expired("r") == [
        Refuse("r", Refusal(408, "[ERROR] Timed out waiting for receivers.")),
        Tell("s", "[INFO] A receiver disconnected."),
    ]


def test_a_sender_whose_wait_is_over_is_broken_and_receivers_wait_on() -> None:
    names = Names()
    names.sender(n=2)
    names.receiver(n=2)
    assert names.expired("s") == [Tell("s", "[ERROR] Timed out waiting for receivers."), Break("s", 410)]
    assert names.sender("t", n=2)[1] == Tell("t", "[INFO] 1 receiver(s) already connected.")


def test_wait_limits_waiting_only() -> None:
    for names in (Names().streaming(), Names().finishing()):
        assert names.expired("s") == names.expired("r0") == []


def test_a_sender_that_dies_breaks_its_receivers() -> None:
    names = Names().streaming(2)
    assert names.left("s") == [StopMove("s"), Break("r0"), Break("r1"), FREE]
    assert names.is_free()


def test_a_malformed_body_breaks_everybody() -> None:
    names = Names().streaming()
    assert names.handle(SenderFailed(NAME)) == [
        StopMove("s"),
        Break("r0"),
        Tell("s", "[ERROR] Transfer failed — sender encountered an error."),
        Break("s", 400),
        FREE,
    ]


def test_all_receivers_gone_breaks_the_sender() -> None:
    names = Names().streaming(2)
    assert names.left("r0") == [Tell("s", "[INFO] A receiver disconnected.")]
    assert names.left("r1") == [
        StopMove("s"),
        Tell("s", "[INFO] All receivers disconnected before transfer completed."),
        Break("s", 409),
        FREE,
    ]


def test_the_only_receiver_gone_after_the_body_was_read_is_a_failure_too() -> None:
    names = Names().finishing()
    assert names.left("r0")[-2:] == [Break("s", 409), FREE]


def test_one_of_several_receivers_gone_is_a_failure_in_the_end() -> None:
    names = Names().finishing(3)
    assert names.left("r1") == [Tell("s", "[INFO] A receiver disconnected.")]
    names.delivered("r0")
    assert names.delivered("r2") == [
        Tell("s", "[ERROR] Transfer incomplete — 1 of 3 receivers did not get everything."),
        Break("s", 409),
        FREE,
    ]


def test_one_complete_receiver_is_enough_if_the_sender_says_so() -> None:
    names = Names().finishing(2, require_any=True)
    names.delivered("r0")
    assert names.left("r1")[-2:] == [EndClean("s"), FREE]


def test_a_sender_gone_after_its_body_was_read_leaves_the_receivers_their_clean_end() -> None:
    names = Names().finishing(2)
    assert names.left("s") == []
    assert names.left("r0") == []
    assert names.delivered("r1") == [FREE]


def test_sender_and_all_receivers_gone_while_finishing_frees_the_name() -> None:
    names = Names().finishing()
    names.left("s")
    assert names.left("r0") == [FREE]
    assert names.is_free()


def test_silence_breaks_a_running_transfer() -> None:
    for names in (Names().streaming(), Names().finishing()):
        actions = names.handle(IdleExpired(NAME))
        assert Break("r0") in actions
        assert actions[-3:] == [Tell("s", "[ERROR] Idle timeout."), Break("s", 400), FREE]


def test_strangers_and_unused_names_change_nothing() -> None:
    names = Names()
    assert names.body_read() == names.left("nobody") == []
    names.sender()
    assert names.body_read() == names.delivered("r") == []


def test_a_cap_on_waiting_pipes_refuses_a_new_name_only() -> None:
    names = Names(Limits(waiting=1))
    names.receiver(n=2)
    full = Refusal(429, "[ERROR] Too many pending transfers. Try again later.")
    assert names.receiver(name="/y") == [Refuse("r", full)]
    assert names.sender(n=2)[0] == Tell("s", messages.waiting(2))


def test_a_cap_on_running_transfers_turns_a_complete_pipe_away() -> None:
    names = Names(Limits(active=0))
    names.receiver()
    assert names.sender()[-4:] == [
        Refuse("r", Refusal(429, "[ERROR] Server at maximum active transfer capacity. Try again later.")),
        Tell("s", "[ERROR] Server at maximum active transfer capacity."),
        Break("s", 409),
        FREE,
    ]
    assert names.is_free()


def test_shutting_down_turns_away_who_waits_and_who_comes_but_not_who_streams() -> None:
    names = Names().streaming()
    names.sender("t", n=2, name="/y")
    names.receiver("q", n=2, name="/y")
    names.receiver("z", name="/z")
    gone = Refusal(503, "[ERROR] Server shutting down.")
    assert names.shut_down() == [
        Refuse("q", gone),
        Tell("t", "[ERROR] Server shutting down."),
        Break("t", 410),
        Forget("/y", None),
        Refuse("z", gone),
        Forget("/z", None),
    ]
    assert names.receiver("late", name="/w") == [Refuse("late", gone)]
    names.body_read()
    assert names.delivered("r0")[1] == EndClean("s")


def test_what_still_runs_when_the_drain_is_over_is_broken() -> None:
    names = Names().streaming()
    names.sender("waits", name="/y")
    names.shut_down()
    assert names.abort() == [
        StopMove("s"),
        Break("r0"),
        Tell("s", "[ERROR] Server shutting down."),
        Break("s"),
        FREE,
    ]
    assert (ended(names)[0], names.is_free()) == ("Server shutting down", True)


def test_who_waits_is_forgotten_when_another_server_goes_on_with_them() -> None:
    names = Names().streaming()
    names.sender("waits", name="/y")
    names.rendezvous.release()
    assert (names.rendezvous.running(), names.rendezvous.waiting) == ([NAME], 0)
    assert names.receiver(name="/y") == [Refuse("r", Refusal(503, "[ERROR] Server shutting down."))]
    names.body_read()
    assert names.delivered("r0")[1] == EndClean("s")


def test_a_name_in_use_at_another_server_is_refused_until_it_is_free_there() -> None:
    names = Names()
    names.rendezvous.occupy([NAME, "/y"])
    refused = Refusal(400, "[ERROR] Path '/x' is already in use by an active transfer.")
    assert names.receiver() == [Refuse("r", refused)]
    assert names.sender() == [Refuse("s", refused)]
    names.rendezvous.vacate([NAME])
    assert (names.rendezvous.is_elsewhere(NAME), names.rendezvous.is_elsewhere("/y")) == (False, True)
    assert names.receiver() == [Arm("r", 60)]


def test_a_sender_that_waited_at_another_server_is_not_told_its_first_lines_again() -> None:
    names = Names()
    names.receiver(n=2)
    assert names.handle(SenderArrived(NAME, "s", 2, 7, is_informed=True)) == [Arm("s", 7)]
    assert names.left("r") == [Tell("s", "[INFO] A receiver disconnected.")]


def test_the_registry_knows_who_waits_to_send() -> None:
    names = Names()
    assert names.rendezvous.waiting_sender(NAME) is None
    names.sender()
    assert names.rendezvous.waiting_sender(NAME) == "s"
    names.receiver()
    assert names.rendezvous.waiting_sender(NAME) is None


def ended(names: Names) -> tuple[str | None, bool, int]:
    """What is shown of the name."""
    assert names.ended is not None
    return names.ended.reason, names.ended.has_sender, names.ended.receivers


def concluded(names: Names) -> tuple[str | None, str | None]:
    """What the sender's attempt came to, and which id it had."""
    assert names.concluded is not None
    return names.concluded.reason, names.concluded.transfer


def test_a_success_has_no_reason_and_everybody_is_still_there() -> None:
    names = Names().finishing(2)
    names.delivered("r0")
    names.delivered("r1")
    assert ended(names) == (None, True, 2)
    assert concluded(names) == (None, ID)


def test_every_failure_of_a_transfer_has_its_reason() -> None:
    names = Names().streaming()
    names.left("s")
    assert ended(names) == ("Sender disconnected", True, 1)
    names = Names().streaming()
    names.left("r0")
    assert ended(names) == ("All receivers disconnected", True, 1)
    names = Names().streaming()
    names.handle(SenderFailed(NAME))
    assert ended(names) == ("Sender encountered an error", True, 1)
    names = Names().streaming()
    names.handle(SenderFailed(NAME, ended=True))
    assert ended(names) == ("Sender disconnected", True, 1)
    names = Names().streaming()
    names.handle(IdleExpired(NAME))
    assert ended(names) == ("Idle timeout", True, 1)
    names = Names().finishing(2)
    names.delivered("r0")
    names.left("r1")
    assert ended(names) == ("1 of 2 receivers did not get everything", True, 1)
    assert concluded(names) == ("1 of 2 receivers did not get everything", ID)


def test_a_sender_without_receivers_has_failed_whoever_still_waits() -> None:
    names = Names()
    names.receiver(n=2)
    names.sender(n=2)
    names.expired("s")
    assert (concluded(names), names.ended) == (("Timed out waiting for receivers", ID), None)
    assert not names.rendezvous.has_transfer(ID)
    names.sender(n=2)
    assert names.rendezvous.has_transfer(ID)
    names.left("s")
    assert (concluded(names), names.ended) == (("Sender disconnected", ID), None)


def test_the_last_one_to_time_out_ends_the_name() -> None:
    names = Names()
    names.sender()
    names.expired("s")
    assert (concluded(names), ended(names)) == (("Timed out waiting for receivers", ID), ("Timed out", True, 0))
    names.receiver()
    names.expired("r")
    assert ended(names) == ("Timed out", False, 1)


def test_receivers_that_leave_before_there_is_a_sender_have_not_failed() -> None:
    names = Names()
    names.receiver()
    assert names.left("r") == [FREE]
    assert (names.ended, names.concluded) == (None, None)


def test_what_cannot_start_has_failed() -> None:
    names = Names(Limits(active=0))
    names.sender()
    names.receiver()
    assert ended(names) == ("Server at capacity", True, 1)
    names = Names()
    names.sender()
    names.shut_down()
    assert (ended(names)[0], concluded(names)[0]) == ("Server shutting down", "Server shutting down")


def test_where_a_name_stands_counts_who_is_there() -> None:
    names = Names()
    assert names.rendezvous.standing(NAME) == IDLE
    names.sender(n=2)
    assert names.rendezvous.standing(NAME) == Standing(State.WAITING, True, 0, 2)
    names.left("s")
    names.finishing(2)
    names.delivered("r0")
    assert names.rendezvous.standing(NAME) == Standing(State.FINISHING, True, 2, 2)
    assert names.rendezvous.is_in_use(NAME)
    assert not names.rendezvous.is_in_use("/y")


def test_one_party_that_asks_for_a_digest_is_enough() -> None:
    rendezvous = Rendezvous(Limits())
    rendezvous.handle(SenderArrived(NAME, "s", 2, 300))
    rendezvous.handle(ReceiverArrived(NAME, "a", 2, 300))
    assert rendezvous.handle(ReceiverArrived(NAME, "b", 2, 300, sha256=True))[-1] == StartMove("s", ("a", "b"), True)
    rendezvous.handle(BodyRead(NAME, "abc"))
    rendezvous.handle(Delivered(NAME, "a"))
    last = rendezvous.handle(Delivered(NAME, "b"))
    assert last[1:3] == [Tell("s", "[INFO] SHA-256: abc"), Tell("s", "[INFO] Transfer complete.")]
    assert last[0] == Conclude(NAME, Ending(None, True, 2, 2, "abc"))


def test_who_asked_for_a_digest_and_left_before_the_start_does_not_count() -> None:
    rendezvous = Rendezvous(Limits())
    rendezvous.handle(ReceiverArrived(NAME, "a", 1, 300, sha256=True))
    rendezvous.handle(PartyLeft(NAME, "a"))
    rendezvous.handle(ReceiverArrived(NAME, "b", 1, 300))
    assert rendezvous.handle(SenderArrived(NAME, "s", 1, 300))[-1] == StartMove("s", ("b",), False)


def test_a_failed_transfer_has_no_digest() -> None:
    names = Names().streaming(2)
    names.handle(BodyRead(NAME, "abc"))
    names.left("r0")
    names.delivered("r1")
    assert names.ended is not None
    assert names.ended.sha256 is None
