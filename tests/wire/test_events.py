"""Server-sent events (protocol E.1)."""

from hoody_pipe.wire.events import KEEPALIVE, event


def test_an_event_has_a_name_and_one_line_of_json() -> None:
    assert event("state", {"state": "idle", "reason": None}).plain == (
        b'event: state\ndata: {"state":"idle","reason":null}\n\n'
    )


def test_an_event_is_also_one_chunk() -> None:
    assert KEEPALIVE.plain == b":keepalive\n\n"
    assert KEEPALIVE.chunked == b"c\r\n:keepalive\n\n\r\n"
