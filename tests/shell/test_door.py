"""Who comes in, counted by address."""

import pytest

from hoody_pipe.shell.door import Door, Welcome, block_of


@pytest.mark.parametrize(
    ("one", "other", "are_the_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%lo", "fe80::2", True),
        ("::1", "127.0.0.1", False),
    ],
)
def test_a_block_is_one_address_of_ipv4_or_64_bits_of_ipv6(one: str, other: str, are_the_same: bool) -> None:
    assert (block_of((one, 1)) == block_of((other, 2))) == are_the_same


def test_what_has_no_address_is_not_counted() -> None:
    door: Door[str] = Door(1)
    for guest in "ab":
        assert door.judge(()) is Welcome.SERVED
        door.enter(guest, ("",))
        door.leave(guest)


def test_so_many_are_served_as_many_again_are_told_and_the_others_are_ignored() -> None:
    door: Door[int] = Door(2)
    seen = []
    for guest in range(6):
        welcome = door.judge(("192.0.2.1", guest))
        seen.append(welcome)
        if welcome is not Welcome.IGNORED:
            door.enter(guest, ("192.0.2.1", guest))
        if welcome is Welcome.TURNED_AWAY:
            door.turn_away(guest)
    assert seen == [Welcome.SERVED] * 2 + [Welcome.TURNED_AWAY] * 2 + [Welcome.IGNORED] * 2
    assert door.judge(("192.0.2.2", 1)) is Welcome.SERVED
    door.leave(2)
    assert door.judge(("192.0.2.1", 1)) is Welcome.TURNED_AWAY
    door.leave(0)
    assert door.judge(("192.0.2.1", 1)) is Welcome.SERVED


def test_who_came_from_another_server_is_counted_over_the_limit_too() -> None:
    door: Door[int] = Door(1)
    for guest in range(3):
        door.enter(guest, ("192.0.2.1", guest))
    door.leave(0)
    door.leave(1)
    assert door.judge(("192.0.2.1", 1)) is Welcome.TURNED_AWAY
    door.leave(2)
    assert door.judge(("192.0.2.1", 1)) is Welcome.SERVED


def test_without_a_limit_everybody_is_served() -> None:
    door: Door[int] = Door(0)
    for guest in range(1000):
        assert door.judge(("192.0.2.1", guest)) is Welcome.SERVED
        door.enter(guest, ("192.0.2.1", guest))
    door.leave(0)
