"""Every setting of the server: one frozen value whose field metadata makes flags and environment names."""

from dataclasses import Field, dataclass, field, fields
from typing import Any

from hoody_pipe.core.ledger import Memory
from hoody_pipe.core.limits import Limits


def _setting(
    default: object, text: str, unit: str = "", least: float | None = None, choices: tuple[str, ...] = ()
) -> Any:
    return field(default=default, metadata={"help": text, "unit": unit, "least": least, "choices": choices})


@dataclass(frozen=True, slots=True)
class Config:
    """How one server behaves; times in seconds, sizes in bytes."""

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8080, "Port to listen on; 0 picks a free one.", least=0)
    max_waiting: int = _setting(10_000, "Pipes that may wait for parties at the same time.", least=1)
    max_active: int = _setting(10_000, "Transfers that may run at the same time.", least=1)
    max_receivers: int = _setting(256, "Largest ?n=.", least=1)
    max_connections_per_ip: int = _setting(
        0,
        "Connections of one address (of IPv6: one /64) at the same time; 0 is no limit. "
        "Keep that behind a proxy, where all come from one address.",
        least=0,
    )
    max_name: int = _setting(1024, "Longest pipe name, percent-encoded.", "characters", least=1)
    wait: int = _setting(300, "How long a party waits for the others unless it says ?wait=.", "seconds", least=1)
    max_wait: int = _setting(3600, "Longest ?wait=.", "seconds", least=1)
    multipart_wait: float = _setting(
        30.0, "How long a form may take until the part shows that is to be sent.", "seconds", 0.1
    )
    multipart_text: int = _setting(1 << 20, "Longest text that a form without a file may send.", "bytes", least=0)
    max_extra_header: int = _setting(8192, "Longest X-Piping or X-Hoody-Pipe that is passed on.", "bytes", least=0)
    max_filename: int = _setting(255, "Where a file name in a Content-Disposition is cut.", "characters", least=1)
    cors_max_age: int = _setting(86_400, "How long a browser may remember a preflight.", "seconds", least=0)
    max_spectators: int = _setting(1000, "Spectators (?progress) of one name.", least=1)
    max_spectator_groups: int = _setting(10_000, "Names that may have spectators at the same time.", least=1)
    spectator_time: float = _setting(
        1800.0, "How long one connection may watch a name on which no transfer runs.", "seconds", 0.1
    )
    progress_interval: float = _setting(0.25, "Shortest time between two progress events.", "seconds", 0.01)
    event_keep_alive: float = _setting(15.0, "Time between two comments that keep a spectator.", "seconds", 0.1)
    recent: int = _setting(1000, "Ended transfers that their names still show.", least=1)
    recent_time: float = _setting(30.0, "How long a name shows how its last transfer ended.", "seconds", 0.1)
    receipts: int = _setting(1000, "Receipts that are kept (?status&transfer=).", least=1)
    receipt_time: float = _setting(600.0, "How long a receipt is kept.", "seconds", 0.1)
    outcomes: int = _setting(10_000, "Last outcomes of names that are kept (?status&last).", least=1)
    outcome_time: float = _setting(86_400.0, "How long the last outcome of a name is kept.", "seconds", 0.1)
    early_status: str = _setting(
        "direct",
        "Which senders read their status lines as things happen; the others get one answer at the end. "
        "direct: those that did not come through a proxy.",
        choices=("always", "direct", "never"),
    )
    heartbeat: float = _setting(
        15.0, "Time between two signs of life (102) to a waiting receiver behind a proxy.", "seconds", 0.1
    )
    idle_timeout: float = _setting(
        0.0, "Break a transfer in which no byte moves for so long; 0 is never.", "seconds", 0
    )
    dead_after: float = _setting(
        120.0, "A peer whose network answers nothing is given up in less than this; a stall alone never.", "seconds", 10
    )
    head_timeout: float = _setting(
        10.0, "A request head must be complete so long after its first byte.", "seconds", 0.1
    )
    keep_alive: float = _setting(75.0, "An idle connection is closed after so long.", "seconds", 0.1)
    linger: float = _setting(
        2.0, "How long a refused or broken upload is drained, so that its last line arrives.", "seconds", 0.1
    )
    grace: float = _setting(
        1.0,
        "How long a client other than curl that keeps its connection may turn out not to have read its stream.",
        "seconds",
        0.01,
    )
    drain_timeout: float = _setting(
        0.0, "On SIGTERM, break what still runs after so long, and end with status 1; 0 is never.", "seconds", 0
    )
    handover: str = _setting(
        "", "Unix socket by which a new server takes over everything from the one that serves now."
    )
    access_log: str = _setting(
        "failed",
        "Whose end is logged: every party's, that of those who failed or were refused, or nobody's.",
        choices=("all", "failed", "none"),
    )
    log_format: str = _setting("text", "How log lines look.", choices=("text", "json"))
    log_level: str = _setting(
        "info",
        "What is logged besides; debug shows every transition of every name.",
        choices=("debug", "info", "warning", "error"),
    )
    log_names: bool = _setting(False, "Write pipe names to the log instead of a hash of them.")

    @property
    def memory(self) -> Memory:
        """What is kept of transfers that ended."""
        return Memory(
            recent_seconds=self.recent_time,
            recent=self.recent,
            receipt_seconds=self.receipt_time,
            receipts=self.receipts,
            last_seconds=self.outcome_time,
            last=self.outcomes,
        )

    @property
    def limits(self) -> Limits:
        """What bounds a request."""
        return Limits(
            waiting=self.max_waiting,
            active=self.max_active,
            receivers=self.max_receivers,
            wait=self.wait,
            longest_wait=self.max_wait,
            name=self.max_name,
            extra_header=self.max_extra_header,
            filename=self.max_filename,
        )


SETTINGS: tuple[Field[Any], ...] = fields(Config)


def flag(setting: Field[Any]) -> str:
    """The command line flag of a setting."""
    return "--" + setting.name.replace("_", "-")


def variable(setting: Field[Any]) -> str:
    """The environment variable of a setting."""
    return "HOODY_PIPE_" + setting.name.upper()
