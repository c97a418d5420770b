"""The query of a request: flags, counts and seconds (protocol A.5, B.4, F.1).

Unknown keys are ignored. Of a repeated key the first counts.
"""

import re
from decimal import Decimal
from urllib.parse import parse_qsl

from hoody_pipe.core import messages
from hoody_pipe.errors import Refused

_ON = frozenset({"", "true", "yes", "1"})
_OFF = frozenset({"false", "no", "0"})
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)([KMGTPE])?(i)?B?", re.ASCII | re.IGNORECASE)
_TRANSFER = re.compile(r"[A-Za-z0-9_-]{16,64}")
_SECONDS = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class Params(dict[str, str]):
    """The first value of every key of a query string, percent-decoded."""

    @classmethod
    def parse(cls, query: str) -> "Params":
        params = cls()
        if not query.isascii():  # bytes that came without an escape are read as those with one
            query = query.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for key, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
            params.setdefault(key, value)
        return params

    def has(self, key: str) -> bool:
        """Whether the flag is on: bare, empty, true, yes or 1."""
        value = self.get(key)
        return value is not None and value.lower() in _ON

    def is_off(self, key: str) -> bool:
        """Whether the flag is given and explicitly off: false, no or 0."""
        value = self.get(key)
        return value is not None and value.lower() in _OFF

    def receivers(self, most: int) -> int:
        """The receiver count `n`, 1 if absent.

        Raises:
            Refused: 400 unless it is an integer from 1 to `most`.
        """
        value = self.get("n", "1")
        if not _COUNT.fullmatch(value) or not 1 <= int(value) <= most:
            raise Refused(400, messages.INVALID_COUNT)
        return int(value)

    def wait(self, default: float, longest: int) -> float:
        """How long this party is willing to wait, in seconds.

        Raises:
            Refused: 400 unless it is an integer from 1 to `longest`.
        """
        value = self.get("wait")
        if value is None:
            return default
        if not _SECONDS.fullmatch(value):
            raise Refused(400, messages.INVALID_WAIT.format(longest=longest))
        seconds = int(value)
        if not 1 <= seconds <= longest:
            raise Refused(400, messages.WAIT_OUT_OF_RANGE.format(longest=longest, got=seconds))
        return seconds

    def size(self) -> int | None:
        """The sender's estimate of its body in bytes (protocol Z.5).

        Raises:
            Refused: 400 unless it is a number with or without a unit: powers of 1000, or of 1024 with an i.
        """
        value = self.get("size")
        if value is None:
            return None
        found = _SIZE.fullmatch(value)
        if found is None or (found[3] and not found[2]):
            raise Refused(400, messages.INVALID_SIZE)
        power = " KMGTPE".index((found[2] or " ").upper())
        return int(Decimal(found[1]) * (1024 if found[3] else 1000) ** power)

    def transfer(self, problem: str) -> str | None:
        """The id of a transfer.

        Raises:
            Refused: 400 with the line `problem` unless it is 16 to 64 of A-Z a-z 0-9 _ -.
        """
        value = self.get("transfer")
        if value is not None and not _TRANSFER.fullmatch(value):
            raise Refused(400, problem)
        return value

    def require_any(self) -> bool:
        """Whether one complete receiver is enough for success (protocol Z.2, `?require=any`).

        Raises:
            Refused: 400 for anything but `all` and `any`.
        """
        value = self.get("require", "all")
        if value not in ("all", "any"):
            raise Refused(400, messages.INVALID_REQUIRE)
        return value == "any"


EMPTY = Params()
