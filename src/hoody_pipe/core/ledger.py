"""What is remembered of transfers that ended: how, and how many bytes; never a byte, never a name (protocol E, Z.11).

Three shelves with a bound each: what a name shows shortly after its end, the receipts that can be asked for by id, and
the last outcome of every name for a day.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hoody_pipe.core.names import secret
from hoody_pipe.core.progress import Outcome

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Memory:
    """How long each shelf keeps an outcome (seconds), and how many (the oldest goes first)."""

    recent_seconds: float = 30.0
    recent: int = 1000
    receipt_seconds: float = 600.0
    receipts: int = 1000
    last_seconds: float = 86400.0
    last: int = 10_000


class Shelf(Generic[Key]):
    """Outcomes in the order in which they came; `now` in seconds must never go back."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._entries: dict[Key, tuple[float, Outcome]] = {}

    def put(self, key: Key, outcome: Outcome, now: float) -> None:
        """Keep an outcome instead of an older one under the same key."""
        entries = self._entries
        entries.pop(key, None)
        entries[key] = (now, outcome)
        while True:
            oldest = next(iter(entries))
            if len(entries) <= self._most and entries[oldest][0] + self._seconds > now:
                return
            del entries[oldest]

    def get(self, key: Key, now: float) -> Outcome | None:
        """What is kept under a key."""
        entry = self._entries.get(key)
        return None if entry is None or entry[0] + self._seconds <= now else entry[1]

    def kept(self, now: float) -> list[tuple[float, Outcome]]:
        """Everything that is kept, with its age in seconds, the oldest first."""
        return [(now - since, outcome) for since, outcome in self._entries.values() if since + self._seconds > now]

    def drop(self, key: Key) -> None:
        """Keep nothing under a key."""
        self._entries.pop(key, None)


class Ledger:
    """All outcomes that are still to be had."""

    def __init__(self, memory: Memory) -> None:
        self._recent: Shelf[str] = Shelf(memory.recent_seconds, memory.recent)
        self._ids: Shelf[str] = Shelf(memory.recent_seconds, memory.recent)  # of the same, by the id of the transfer
        self._last: Shelf[str] = Shelf(memory.last_seconds, memory.last)
        self._receipts: Shelf[str] = Shelf(memory.receipt_seconds, memory.receipts)
        self._shelves = {"recent": self._recent, "last": self._last, "receipts": self._receipts}

    def kept(self, now: float) -> list[tuple[str, float, Outcome]]:
        """Everything on every shelf, by the name of the shelf and with its age in seconds."""
        return [(name, age, outcome) for name, shelf in self._shelves.items() for age, outcome in shelf.kept(now)]

    def keep(self, shelf: str, age: float, outcome: Outcome, now: float) -> None:
        """Go on keeping what another ledger has kept."""
        transfer = outcome.measure.transfer or ""
        self._shelves[shelf].put(transfer if shelf == "receipts" else outcome.owner, outcome, now - age)
        if shelf == "recent":
            self._ids.put(transfer, outcome, now - age)

    def close(self, name: str, outcome: Outcome | None, now: float) -> None:
        """A name became free; None if there is nothing to tell of how."""
        if outcome is None:
            self._recent.drop(secret(name))
        else:
            self._recent.put(outcome.owner, outcome, now)
            self._last.put(outcome.owner, outcome, now)
            self._ids.put(outcome.measure.transfer or "", outcome, now)

    def recent(self, name: str, now: float) -> Outcome | None:
        """What a free name shows shortly after its end."""
        return self._recent.get(secret(name), now)

    def last(self, name: str, now: float) -> Outcome | None:
        """How the last transfer on a name ended."""
        return self._last.get(secret(name), now)

    def file(self, outcome: Outcome, now: float) -> None:
        """Keep a receipt."""
        if outcome.measure.transfer is not None:
            self._receipts.put(outcome.measure.transfer, outcome, now)

    def receipt(self, name: str, transfer: str, now: float) -> Outcome | None:
        """The receipt of a transfer, for those who also know its name."""
        outcome = self._receipts.get(transfer, now)
        return outcome if outcome is not None and outcome.owner == secret(name) else None

    def has_transfer(self, transfer: str, now: float) -> bool:
        """Whether an id is that of a receipt, or of a transfer that ended just now."""
        return any(shelf.get(transfer, now) is not None for shelf in (self._receipts, self._ids))
