"""Where log lines go: standard error, by a thread, so that whoever stops reading it never stops the server."""

import json
import logging
import os
import time
from contextlib import suppress
from queue import Full, Queue
from threading import Thread

MOST_WAITING = 10_000  # lines; what comes then is dropped and counted
PATIENCE = 1.0  # seconds for the last lines at the end
_STDERR = 2


class Stderr(logging.Handler):
    """Never waits: a line for which there is no room is dropped, and the next one that fits says how many were."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: Queue[str | None] = Queue(MOST_WAITING)
        self._dropped = 0
        self._thread = Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record."""
        try:
            self._lines.put_nowait(self.format(record))
        except Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what is left, if somebody reads it."""
        with suppress(Full):
            self._lines.put_nowait(None)
            self._thread.join(PATIENCE)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                line = f"({dropped} lines were dropped here)\n{line}"
            rest = f"{line}\n".encode("utf-8", "backslashreplace")
            with suppress(OSError):  # nobody will ever read it
                while rest:
                    rest = rest[os.write(_STDERR, rest) :]


class Json(logging.Formatter):
    """One object; a record may bring its own `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = getattr(record, "fields", None)
        if fields is None:
            message = record.getMessage()
            if record.exc_info:
                message += "\n" + self.formatException(record.exc_info)
            fields = {"event": "log", "level": record.levelname.lower(), "message": message}
        return json.dumps({"time": _utc(record.created), **fields})


class Text(logging.Formatter):
    """A line for people; the `fields` of a record as key=value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line, without a traceback."""
        fields = getattr(record, "fields", {})
        pairs = [f" {key}={_quoted(str(value))}" for key, value in fields.items() if value is not None]
        return super().formatMessage(record) + "".join(pairs)


def log_to_stderr(level: str, as_json: bool) -> None:
    """Send every record from `level` on to standard error."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # nothing in the formats needs it (Logging HOWTO, optimization)
    handler = Stderr()
    handler.setFormatter(Json() if as_json else Text())
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of every byte that follows a form
    logging.basicConfig(level=level.upper(), handlers=[handler])


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"


def _quoted(text: str) -> str:
    return text if text and text.isprintable() and not set(text) & set(' "=') else json.dumps(text)
