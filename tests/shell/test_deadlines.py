"""Deadlines pass once and in order, and not at all when they were cancelled or armed anew."""

import asyncio
from collections.abc import Callable

from hoody_pipe.shell.deadlines import Deadlines

Arm = Callable[[str, float, str], None]


def passed(scene: Callable[[Deadlines, Arm], None]) -> list[str]:
    """The names of the deadlines that passed, until the one named `end` did."""

    async def main() -> list[str]:
        deadlines = Deadlines(asyncio.get_running_loop())
        names: list[str] = []
        ended = asyncio.Event()

        def arm(key: str, seconds: float, name: str) -> None:
            def note() -> None:
                names.append(name)
                if name == "end":
                    ended.set()

            deadlines.arm(key, seconds, note)

        scene(deadlines, arm)
        async with asyncio.timeout(20):
            await ended.wait()
        deadlines.close()
        return names

    return asyncio.run(main())


def test_they_pass_in_the_order_of_their_times() -> None:
    def scene(deadlines: Deadlines, arm: Arm) -> None:
        arm("d", 0.04, "end")
        arm("b", 0.02, "second")
        arm("c", 0.02, "third")
        arm("a", 0.01, "first")

    assert passed(scene) == ["first", "second", "third", "end"]


def test_a_cancelled_one_does_not_pass_and_may_be_cancelled_again() -> None:
    def scene(deadlines: Deadlines, arm: Arm) -> None:
        arm("a", 0.01, "never")
        deadlines.cancel("a")
        deadlines.cancel("a")
        arm("b", 0.02, "end")

    assert passed(scene) == ["end"]


def test_a_key_has_one_deadline_the_last_that_was_armed() -> None:
    def scene(deadlines: Deadlines, arm: Arm) -> None:
        arm("a", 0.01, "never")
        arm("a", 0.02, "later")
        arm("b", 0.03, "end")

    assert passed(scene) == ["later", "end"]


def test_one_may_be_armed_when_another_passes() -> None:
    def scene(deadlines: Deadlines, arm: Arm) -> None:
        deadlines.arm("a", 0.01, lambda: arm("a", 0.01, "end"))

    assert passed(scene) == ["end"]


def test_what_is_left_of_a_deadline_is_known() -> None:
    def scene(deadlines: Deadlines, arm: Arm) -> None:
        assert deadlines.left("a") is None
        arm("a", 60, "never")
        left = deadlines.left("a")
        assert left is not None
        assert 59 < left <= 60
        arm("a", 0.01, "end")

    assert passed(scene) == ["end"]
