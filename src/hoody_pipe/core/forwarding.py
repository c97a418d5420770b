"""What passes from a sender's request to its receivers' responses (protocol B.6, C.3).

A relay serves bytes of strangers from its own origin, so a type that a browser would run is sent as text, and every
value is rebuilt from what was understood of it, never copied.
"""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote_to_bytes

from hoody_pipe.core import messages
from hoody_pipe.core.limits import Limits
from hoody_pipe.core.names import last_segment
from hoody_pipe.core.params import Params
from hoody_pipe.errors import Refused

Headers = dict[str, str]
Fields = list[tuple[str, str]]

EXTRAS = ("X-Piping", "X-Hoody-Pipe")

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_ESSENCE = re.compile(rf"\s*({_TOKEN}/{_TOKEN})\s*(?:;|$)")
_CHARSET = re.compile(r';\s*charset="?(utf-8|us-ascii|iso-8859-1)"?\s*(?:;|$)', re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,19}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # in Latin-1: what is above 127 may be a part of UTF-8
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]")
_FORM = re.compile(r"\s*multipart/form-data\s*(?:;|$)", re.IGNORECASE)
_BOUNDARY = re.compile(
    r""";\s*boundary=(?:"([0-9A-Za-z'()+_,\-./:=? ]{0,69}[^ "])"|([0-9A-Za-z'+_\-.]{1,70})\s*(?:;|$))""", re.IGNORECASE
)
_FILENAME = re.compile(rf';\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))', re.IGNORECASE)
_EXTENDED = re.compile(r";\s*filename\*\s*=\s*(utf-8|iso-8859-1)'[^']*'([^;\s]+)", re.IGNORECASE)

# https://mimesniff.spec.whatwg.org/#javascript-mime-type, and what a browser renders as a document
_SCRIPTS = frozenset(
    [
        "application/ecmascript",
        "application/javascript",
        "application/x-ecmascript",
        "application/x-javascript",
        "text/ecmascript",
        "text/javascript",
        "text/javascript1.0",
        "text/javascript1.1",
        "text/javascript1.2",
        "text/javascript1.3",
        "text/javascript1.4",
        "text/javascript1.5",
        "text/jscript",
        "text/livescript",
        "text/x-ecmascript",
        "text/x-javascript",
        "text/html",
        "application/xhtml+xml",
        "image/svg+xml",
        "text/xml",
        "application/xml",
        "text/xsl",
    ]
)
_INLINE = re.compile(r"(image|audio|video)/.*|text/plain|application/pdf")


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a sender's request says about its body; `length` in bytes, None if unknown."""

    content_type: str
    length: int | None
    disposition: tuple[str, str] | None  # (type, file name as it was sent, empty if it has none)
    extras: tuple[tuple[str, str], ...]
    longest_filename: int

    @classmethod
    def of(cls, headers: Headers, limits: Limits, is_form: bool = False) -> "Forwarded":
        """Take what may pass from a sender's headers (lower-case names, values decoded as Latin-1).

        The length of a form says nothing of that of the part in it.
        """
        length = None if is_form else headers.get("content-length")
        content_type = safe_type(headers.get("content-type"))
        extras = [(name, headers[name.lower()]) for name in EXTRAS if name.lower() in headers]
        return cls(
            content_type,
            int(length) if length is not None and _LENGTH.fullmatch(length) else None,
            _disposition(headers.get("content-disposition"), content_type),
            tuple((name, _clean(value)) for name, value in extras if len(value) <= limits.extra_header),
            limits.filename,
        )

    def of_part(self, fields: Mapping[str, str]) -> "Forwarded":
        """The same for a part of a form with these header fields (protocol B.5)."""
        content_type = safe_type(fields.get("content-type"))
        disposition = _disposition(fields.get("content-disposition"), content_type)
        return replace(self, content_type=content_type, length=None, disposition=disposition)

    def fields_for(self, params: Params, name: str) -> Fields:
        """The header fields that describe the body to one receiver; the framing is not among them."""
        fields = [("Content-Type", self.content_type)]
        disposition = self._disposition_for(params, name)
        if disposition:
            fields.append(("Content-Disposition", disposition))
        fields += self.extras
        return fields

    def _disposition_for(self, params: Params, name: str) -> str | None:
        kind, filename = self.disposition or (None, "")
        if "filename" in params:
            kind, filename = "attachment", params["filename"]
        elif "download" in params:
            kind, filename = "attachment", safe_filename(filename) or last_segment(name)
        if kind is None or params.is_off("download"):
            return None
        return render_disposition(kind, safe_filename(filename)[: self.longest_filename])


def boundary_of(content_type: str | None) -> str | None:
    """The boundary of a form (RFC 2046, section 5.1.1); None for any other type.

    Raises:
        Refused: 400 when there is none, or one that cannot be.
    """
    if content_type is None or not _FORM.match(content_type):
        return None
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Refused(400, messages.INVALID_BOUNDARY)
    return found[1] or found[2]


def safe_type(value: str | None) -> str:
    """The Content-Type that a receiver may see: script-capable types become text/plain, only a known charset stays."""
    found = _ESSENCE.match(value) if value else None
    if value is None or found is None:
        return "application/octet-stream"
    essence = found[1].lower()
    if essence in _SCRIPTS or essence.endswith("+xml"):
        essence = "text/plain"
    charset = _CHARSET.search(value, found.end(1))
    return f"{essence}; charset={charset[1].lower()}" if charset else essence


def safe_filename(value: str) -> str:
    """A file name that cannot leave the folder it is saved in; empty if nothing is left."""
    return _UNSAFE.sub("", value).lstrip(".")


def render_disposition(kind: str, filename: str) -> str:
    """A Content-Disposition value (RFC 6266), with the RFC 5987 form beside the plain one for non-ASCII names."""
    if not filename:
        return kind
    plain = filename.encode("ascii", "replace").decode().replace("?", "_").replace('"', '\\"')
    if filename.isascii():
        return f'{kind}; filename="{filename.replace(chr(34), chr(92) + chr(34))}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _disposition(value: str | None, content_type: str) -> tuple[str, str] | None:
    if value is None:
        return None
    kind = "inline" if re.match(r"\s*inline\s*(;|$)", value, re.IGNORECASE) else "attachment"
    if kind == "inline" and not _INLINE.fullmatch(content_type.partition(";")[0]):
        kind = "attachment"
    return kind, _filename(_clean(value))


def _filename(value: str) -> str:
    extended = _EXTENDED.search(value)
    if extended:
        return unquote_to_bytes(extended[2]).decode(extended[1], "replace")
    plain = _FILENAME.search(value)
    if plain is None:
        return ""
    text = plain[2] if plain[1] is None else re.sub(r"\\(.)", r"\1", plain[1])
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")  # what curl and browsers put on the wire
    return text


def _clean(value: str) -> str:
    return _CONTROL.sub("", value)
