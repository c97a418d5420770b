"""What may be put into a response."""

from hoody_pipe.errors import Refusal
from hoody_pipe.wire.response import render_head


def assert_safe_fields(fields: list[tuple[str, str]]) -> None:
    """Each is one line of a head, whatever a sender put into it."""
    for _, value in fields:
        assert all(" " <= letter != "\x7f" for letter in value), value  # above that it may be a part of UTF-8
    assert render_head(200, fields).count(b"\r\n") == len(fields) + 2


def assert_safe_refusal(refusal: Refusal) -> None:
    """It is one line of text, with a status that says whose fault it was."""
    assert 400 <= refusal.status <= 501
    assert refusal.line.startswith("[ERROR] ")
    assert not set(refusal.line) & {"\r", "\n", "\0"}
    refusal.line.encode("utf-8", "surrogateescape")
