"""Many deadlines of few durations, armed and cancelled at the price of a dictionary entry.

Every connection has a deadline most of the time and hardly any of them ever passes. Deadlines of the same duration
expire in the order in which they were armed, so each duration is one ordered dictionary, and the loop holds one timer.
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from math import inf

from hoody_pipe.shell.guard import guarded

Callback = Callable[[], None]


@dataclass(slots=True)
class _Bucket:
    entries: dict[Hashable, tuple[float, Callback]] = field(default_factory=dict)


class Deadlines:
    """At most one deadline per key; times in seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._buckets: dict[float, _Bucket] = {}
        self._bucket_of: dict[Hashable, _Bucket] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = inf

    def arm(self, key: Hashable, seconds: float, callback: Callback) -> None:
        """Call back once after `seconds`, instead of whatever was armed for the key."""
        old = self._bucket_of.get(key)
        if old is not None:
            del old.entries[key]
        bucket = self._buckets.get(seconds)
        if bucket is None:
            bucket = self._buckets[seconds] = _Bucket()
        due = self._loop.time() + seconds
        bucket.entries[key] = (due, callback)
        self._bucket_of[key] = bucket
        if due < self._next:
            self._wake_at(due)

    def cancel(self, key: Hashable) -> None:
        """Forget the key's deadline, if it has one."""
        bucket = self._bucket_of.pop(key, None)
        if bucket is not None:
            del bucket.entries[key]

    def left(self, key: Hashable) -> float | None:
        """Seconds until the key's deadline, None if it has none."""
        bucket = self._bucket_of.get(key)
        return None if bucket is None else bucket.entries[key][0] - self._loop.time()

    def close(self) -> None:
        """Forget all deadlines."""
        self._buckets.clear()
        self._bucket_of.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _wake_at(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = due
        self._timer = self._loop.call_at(due, self._expire) if due < inf else None

    def _expire(self) -> None:
        self._next = inf
        now = self._loop.time()
        expired: list[Callback] = []
        for seconds, bucket in list(self._buckets.items()):
            while bucket.entries:
                key, (due, callback) = next(iter(bucket.entries.items()))
                if due > now:
                    break
                self.cancel(key)
                expired.append(callback)
            if not bucket.entries:
                del self._buckets[seconds]
        firsts = (next(iter(bucket.entries.values()))[0] for bucket in self._buckets.values() if bucket.entries)
        self._wake_at(min(firsts, default=inf))
        for callback in expired:
            guarded(callback)
