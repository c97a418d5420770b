"""The access log: one line for every party that is finished (protocol Z.8). Never a name unless the operator wants it.

What is to be logged follows from what happened and from what the core says is to be done about it, so parties and
transfers know nothing of the log. By default only what failed is written: a line costs as much as a tenth of a small
transfer.
"""

import logging
import time
from collections.abc import Sequence
from typing import cast

from hoody_pipe.config import Config
from hoody_pipe.core.names import secret
from hoody_pipe.core.pipe import Action, Break, Conclude, Delivered, EndClean, Event, PartyLeft, Refuse
from hoody_pipe.shell.parties import Party

log = logging.getLogger("hoody_pipe.access")
transitions = logging.getLogger("hoody_pipe.transitions")

LEFT = "Disconnected"
_LOGGED: dict[str, tuple[type[Action], ...]] = {
    "none": (),
    "failed": (Refuse, Break),
    "all": (Refuse, Break, EndClean),
}


class AccessLog:
    """Writes to the logger `hoody_pipe.access`, whatever level the other loggers have."""

    def __init__(self, config: Config) -> None:
        self._names = config.log_names
        self._logs_all = config.access_log == "all"
        self._logs_failures = config.access_log != "none"
        self._logged = _LOGGED[config.access_log]
        self._logs_transitions = transitions.isEnabledFor(logging.DEBUG)

    def note(self, event: Event, actions: Sequence[Action]) -> None:
        """Write what is finished by this event and the core's answer to it; before anything is done about it."""
        if self._logs_transitions:
            done = ", ".join(type(action).__name__ for action in actions)
            transitions.debug("%s %s -> %s", self._label(event.name), type(event).__name__, done or "nothing")
        if type(event) is Delivered:
            if self._logs_all:
                self._write("delivered", event.party, "complete", None)
            if not actions:
                return
        elif type(event) is PartyLeft and self._logs_failures:
            self._write("left", event.party, "failed", LEFT)
        self.note_actions(actions)

    def note_actions(self, actions: Sequence[Action]) -> None:
        """Write what the core ends by itself."""
        ends = [action for action in actions if type(action) in self._logged]
        if not ends:
            return
        reason = next((action.ending.reason for action in actions if isinstance(action, Conclude)), None)
        for action in ends:
            if isinstance(action, Refuse):
                self._write("refused", action.party, "refused", self._without_name(action.refusal.line, action.party))
            elif isinstance(action, Break):
                self._write("broken", action.party, "failed", reason)
            elif isinstance(action, EndClean):
                self._write("ended", action.party, "complete", None)

    def _write(self, event: str, who: object, outcome: str, reason: str | None) -> None:
        party = cast("Party", who)
        fields = {
            "event": event,
            "name": self._label(party.name),
            "role": party.role,
            "peer": party.connection.peer,
            "n": party.n,
            "bytes": 0 if party.transfer is None else party.transfer.moved,
            "duration": round(time.monotonic() - party.arrived, 3),
            "outcome": outcome,
            "reason": reason,
        }
        log.log(logging.INFO if reason is None else logging.WARNING, "%s", party.role, extra={"fields": fields})

    def _without_name(self, line: str, who: object) -> str:
        name = cast("Party", who).name
        return line.removeprefix("[ERROR] ").replace(f"'{name}'", f"'{self._label(name)}'")

    def _label(self, name: str) -> str:
        return name if self._names else secret(name)[:8]
