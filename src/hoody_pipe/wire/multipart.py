"""The one part of a form that is forwarded (RFC 7578; protocol B.5): its first file, else the field `input_text`.

python-multipart follows the boundaries; this module chooses. It sits on the decoder of the body's own framing.
"""

from collections.abc import Mapping
from typing import Protocol

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from hoody_pipe.errors import BadFraming

Part = bytes | memoryview

TEXT_FIELD = b"input_text"
TEXT_TYPE = {"content-type": "text/plain; charset=utf-8"}


class Framing(Protocol):
    """The body that the form is in."""

    @property
    def used(self) -> int: ...

    @property
    def finished(self) -> bool: ...

    def most(self, size: int) -> int: ...

    def feed(self, buffer: bytearray, end: int) -> list[Part]: ...


class FormDecoder:
    """Follows a form through any splitting of its bytes; `feed` returns what belongs to the chosen part.

    `chosen` are the header fields of that part (lower-case names) as soon as it shows; `payload` counts its bytes;
    `longest_text` bounds `input_text`, in bytes, which has to be kept until no file can come any more.
    """

    def __init__(self, framing: Framing, boundary: str, longest_text: int) -> None:
        self.chosen: Mapping[str, str] | None = None
        self.finished = False
        self.payload = 0
        self._framing = framing
        self._longest_text = longest_text
        self._has_begun = False
        self._text: bytearray | None = None
        self._is_text_too_long = False
        self._takes: bytearray | None = None  # the text, while its part is read
        self._fields: dict[str, str] = {}
        self._name = b""
        self._value = b""
        self._out: list[Part] = []
        self._parser = MultipartParser(
            boundary.encode("latin-1"),
            {
                "on_part_begin": self._fields.clear,
                "on_header_field": self._on_name,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._choose,
                "on_part_data": self._on_data,
                "on_part_end": self._on_part_end,
            },
        )

    @property
    def used(self) -> int:
        """How much of the last buffer belonged to the body."""
        return self._framing.used

    def most(self, size: int) -> int:
        """How many of the next `size` bytes may be read without reading past the body, as far as is known."""
        return self._framing.most(size)

    def feed(self, buffer: bytearray, end: int) -> list[Part]:
        """Take `buffer[:end]`, return what to forward of it.

        Raises:
            BadFraming: the form is malformed, or ended before the part did, or there is nothing in it to send.
        """
        self._out = []
        for piece in self._framing.feed(buffer, end):
            if not self.finished:
                self._parse(bytes(piece))
        if self._framing.finished and not self.finished:
            self._take_text()
        self.payload += sum(map(len, self._out))
        return self._out

    def _parse(self, piece: bytes) -> None:
        if not self._has_begun:  # what the parser would skip at the beginning depends on how the form is cut
            piece = piece.lstrip(b"\r\n")
            self._has_begun = bool(piece)
        try:
            self._parser.write(piece)
        except MultipartParseError as error:
            if not self.finished:  # what follows the part is not looked at, be it in the same piece or in the next
                raise BadFraming(f"the form is malformed: {error}") from error

    def _take_text(self) -> None:
        """The form is over and had no file."""
        if self.chosen is not None:
            raise BadFraming("the form ended within its file")
        if self._text is None or self._takes is not None or self._is_text_too_long:
            raise BadFraming("the form has no file and no text that could be sent")
        self.chosen, self.finished = TEXT_TYPE, True
        self._out = [bytes(self._text)] if self._text else []

    # what the parser reports

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._fields.setdefault(self._name.decode("latin-1").lower(), self._value.decode("latin-1"))
        self._name = self._value = b""

    def _choose(self) -> None:
        """A part begins: a file is what was looked for, the text may have to do."""
        if self.chosen is not None:
            return
        _, options = parse_options_header(self._fields.get("content-disposition"))
        if options.get(b"filename") or "filename*=" in self._fields.get("content-disposition", ""):
            self.chosen = dict(self._fields)
            self._text = None
        elif options.get(b"name") == TEXT_FIELD and self._text is None:
            self._text = self._takes = bytearray()

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self.chosen is not None and not self.finished:
            self._out.append(memoryview(data)[start:end])
        elif self._takes is not None:
            self._is_text_too_long |= len(self._takes) + end - start > self._longest_text
            if not self._is_text_too_long:
                self._takes += data[start:end]

    def _on_part_end(self) -> None:
        self._takes = None
        self.finished = self.chosen is not None
