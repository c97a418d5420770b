"""What can be said of a transfer: as a status, and as the three events that a spectator sees (protocol E).

All of it is made from two frozen values: where the name stands, which the core knows, and how far its bytes are, which
the movers count.
"""

from dataclasses import dataclass

from hoody_pipe.core.pipe import Ending, Standing, State

Report = dict[str, object]

_NAMES = {None: "idle", State.WAITING: "waiting", State.STREAMING: "streaming", State.FINISHING: "streaming"}


@dataclass(frozen=True, slots=True)
class Measure:
    """How far a transfer is: bytes taken from its sender, bytes expected (None if unknown), seconds since it started.

    `total_is_estimate` says that the total is only what the sender guessed with `?size=`.
    """

    moved: int = 0
    elapsed: float = 0.0
    total: int | None = None
    total_is_estimate: bool = False
    transfer: str | None = None

    @property
    def speed(self) -> float:
        """Bytes per second since the start."""
        return self.moved / self.elapsed if self.elapsed > 0 else 0.0

    def seconds_left(self, speed: float) -> float | None:
        """How long the rest takes at this speed; None if that cannot be known."""
        if self.total is None or speed <= 0 or self.moved > self.total:
            return None
        return (self.total - self.moved) / speed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is kept of a transfer that ended; `owner` is the secret of its name."""

    owner: str
    ending: Ending
    measure: Measure


def status(standing: Standing, measure: Measure) -> Report:
    """The status of a name now (protocol E.2)."""
    is_streaming = standing.state is not None and standing.state is not State.WAITING
    left = measure.seconds_left(measure.speed) if is_streaming else None
    who: Report = {
        "hasSender": standing.has_sender,
        "activeReceivers": standing.receivers,
        "totalReceivers": standing.n,
    }
    return _status(_NAMES[standing.state], who, measure, eta=None if left is None else round(left))


def status_of(outcome: Outcome) -> Report:
    """The status of a transfer that ended."""
    ending = outcome.ending
    who: Report = {
        "hasSender": ending.has_sender,
        "activeReceivers": ending.receivers,
        "totalReceivers": ending.n,
    }
    return _status(_result(ending), who, outcome.measure, reason=ending.reason, sha256=ending.sha256)


def _status(
    state: str,
    who: Report,
    measure: Measure,
    eta: int | None = None,
    reason: str | None = None,
    sha256: str | None = None,
) -> Report:
    return {
        "state": state,
        "kind": None if state == "idle" else "pipe",
        "peers": None,
        "transferId": measure.transfer,
        **who,
        "bytesTransferred": measure.moved,
        "totalBytes": measure.total,
        **({"totalIsEstimate": True} if measure.total_is_estimate else {}),
        "speed": round(measure.speed),
        "eta": eta,
        "elapsed": round(measure.elapsed, 2),
        "reason": reason,
        "sha256": sha256,
    }


def state_event(standing: Standing) -> Report:
    """The `state` event (protocol E.1)."""
    return {
        "state": _NAMES[standing.state],
        "hasSender": standing.has_sender,
        "activeReceivers": standing.receivers,
        "totalReceivers": standing.n,
    }


def progress_event(standing: Standing, measure: Measure, speed: float) -> Report:
    """The `progress` event (protocol E.1); `speed` is that of the last seconds."""
    left = measure.seconds_left(speed)
    return {
        "bytesTransferred": measure.moved,
        "totalBytes": measure.total,
        **({"totalIsEstimate": True} if measure.total_is_estimate else {}),
        "speed": round(speed),
        "eta": None if left is None else round(left, 1),
        "activeReceivers": standing.receivers,
        "receivers": standing.receivers,
        "totalReceivers": standing.n,
        "elapsed": round(measure.elapsed, 2),
    }


def done_event(outcome: Outcome) -> Report:
    """The `done` event (protocol E.1)."""
    ending, measure = outcome.ending, outcome.measure
    reason = {} if ending.reason is None else {"reason": ending.reason}
    transfer = {} if measure.transfer is None else {"transferId": measure.transfer}
    return {
        "state": _result(ending),
        "bytesTransferred": measure.moved,
        "duration": round(measure.elapsed, 1),
        "avgSpeed": round(measure.speed),
        **reason,
        "sha256": ending.sha256,
        **transfer,
    }


def _result(ending: Ending) -> str:
    return "complete" if ending.reason is None else "failed"
