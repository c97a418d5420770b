"""What a path means: which pipe, which reserved page, or why it is refused (protocol A.1 to A.4, Z.1).

A name keeps its leading slash and is never percent-decoded for identity; only the hex digits of an escape are folded to
upper case. Reserved names and forbidden characters are judged on the decoded path.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from hoody_pipe.core import messages
from hoody_pipe.errors import Refused

PREFIX = "/api/v1/pipe"
PAGES = frozenset({"/", "/noscript", "/help", "/favicon.ico", "/robots.txt"})
PREFIXED_ONLY = frozenset({"/health", "/metrics"})
OURS = frozenset({"/openapi.json"})  # reserved under the prefix; without it an ordinary name, as for existing clients

_PLAIN = re.compile(r"/[A-Za-z0-9_\-]+(?:/[A-Za-z0-9_\-]+)*")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_ENCODED_SLASH = re.compile(r"%2[Ff]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path points: a pipe, or, when `reserved` is set, one of the reserved names in canonical form."""

    name: str
    reserved: bool = False


def resolve(path: str, longest: int = 1024) -> Place:
    """Say where the path of a request target (without its query) points.

    Raises:
        Refused: 414 for a name over `longest` characters, 400 for a forbidden one, 404 for a bare `/health`.
    """
    prefixed = path == PREFIX or path.startswith(PREFIX + "/")
    name = (path[len(PREFIX) :] or "/") if prefixed else path
    if len(name) - 1 > longest:
        raise Refused(414, messages.PATH_TOO_LONG.format(longest=longest))
    if _PLAIN.fullmatch(name):
        decoded = name
    else:
        decoded = _decode(name)
        name = _ESCAPE.sub(lambda escape: escape[0].upper(), name)
    folded = _fold(decoded)
    if folded in PREFIXED_ONLY and not prefixed:
        raise Refused(404, messages.only_under_prefix(folded))
    if folded in PAGES or folded in PREFIXED_ONLY or (prefixed and folded in OURS):
        return Place(folded, reserved=True)
    return Place(name)


def last_segment(name: str) -> str:
    """The decoded last segment of a pipe name, as a file name suggestion; empty if the name ends in a slash."""
    return unquote_to_bytes(name.rsplit("/", 1)[1].encode("utf-8", "surrogateescape")).decode("utf-8", "replace")


@lru_cache(maxsize=256)
def secret(name: str) -> str:
    """What stands for a name where the name itself must not be: its SHA-256 in hex (protocol Z.8)."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()


def _fold(decoded: str) -> str:
    folded = decoded.lower()
    for end in "/.":
        if len(folded) > 1:
            folded = folded.removesuffix(end)
    return folded


def _decode(name: str) -> str:
    if _BROKEN_ESCAPE.search(name):
        raise _invalid("a percent sign must be followed by two hex digits")
    if _ENCODED_SLASH.search(name):
        raise _invalid("an encoded slash is not allowed")
    raw = unquote_to_bytes(name.encode("utf-8", "surrogateescape"))
    if b"\\" in raw:
        raise _invalid("a backslash is not allowed")
    if _CONTROL.search(raw):
        raise _invalid("control characters are not allowed")
    segments = raw.split(b"/")
    if b"." in segments or b".." in segments:
        raise _invalid("'.' and '..' segments are not allowed")
    if len(raw) > 2 and not raw.strip(b"/"):
        raise _invalid("the name is empty")
    return raw.decode("utf-8", "replace")


def _invalid(problem: str) -> Refused:
    return Refused(400, messages.invalid_path(problem))
