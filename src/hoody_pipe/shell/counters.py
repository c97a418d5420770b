"""What is counted while it happens: plain numbers, so that counting costs a transfer next to nothing (protocol G)."""

from bisect import bisect_left
from collections import Counter

from hoody_pipe.core import messages
from hoody_pipe.core.progress import Outcome

DURATIONS = (0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 6 * 3600.0, 24 * 3600.0)  # seconds
FIRST_BYTES = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)  # seconds
REASONS = (
    *("pending_cap", "spectator_cap", "active_cap", "wait_timeout", "idle_timeout", "ws_cap", "live_cap"),
    "connection_cap",  # ours
)

_BY_LINE = {
    messages.TOO_MANY_PENDING: "pending_cap",
    messages.TOO_MANY_SPECTATORS: "spectator_cap",
    messages.TIMED_OUT_SENDER: "wait_timeout",
    messages.TIMED_OUT_RECEIVERS: "wait_timeout",
}
_BY_ENDING = {
    messages.NO_RECEIVERS_CAME: "wait_timeout",
    messages.NO_CAPACITY: "active_cap",
    messages.IDLE_REASON: "idle_timeout",
}


class Histogram:
    """How many values were at most each bound."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Counters:
    """All of them, since the start; bytes are those of transfers that have ended."""

    def __init__(self) -> None:
        self.results = {"completed": 0, "failed": 0}
        self.moved = 0
        self.hashed = 0
        self.rejections: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
        self.durations = Histogram(DURATIONS)
        self.first_bytes = Histogram(FIRST_BYTES)

    def end(self, outcome: Outcome, is_hashed: bool) -> None:
        """A transfer that had started ended."""
        measure = outcome.measure
        self.results["completed" if outcome.ending.reason is None else "failed"] += 1
        self.moved += measure.moved
        self.hashed += measure.moved if is_hashed else 0
        self.durations.add(measure.elapsed)

    def refuse(self, line: str) -> None:
        """Somebody was refused with this line."""
        if line in _BY_LINE:
            self.rejections[_BY_LINE[line]] += 1

    def turn_away(self) -> None:
        """A connection was refused because its address has too many."""
        self.rejections["connection_cap"] += 1

    def give_up(self, reason: str | None) -> None:
        """A sender's attempt ended for this reason."""
        if reason in _BY_ENDING:
            self.rejections[_BY_ENDING[reason]] += 1
