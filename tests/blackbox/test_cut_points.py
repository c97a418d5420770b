"""Wherever a sender is cut, no receiver takes what it got for the whole."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blackbox.harness import Clients
from blackbox.rawhttp import Ended, Raw, chunked, request

PIECES = [b"x" * 10, b"y" * 1000, b"z" * 70_000, b"0\r\n\r\n", b"\r\n"]


# Z.2, C.5: every place where a stream may be cut


def ends_cleanly(receiver: Raw) -> bool:
    """Whether a receiver takes what it got for a complete response."""
    try:
        return receiver.answer().complete
    except Ended:  # a reset, where the end of the connection would be the end of the body
        return False


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("minor", [0, 1])
@pytest.mark.parametrize("framing", ["chunked", "counted"])
@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_cut_stream_never_ends_cleanly(
    clients: Clients, name: str, framing: str, end: str, minor: int, data: st.DataObject
) -> None:
    whole = chunked(*PIECES) if framing == "chunked" else b"".join(PIECES)
    cut = data.draw(st.one_of(st.integers(0, len(whole) - 1), st.integers(len(whole) - 12, len(whole) - 1)))
    field = "Transfer-Encoding: chunked" if framing == "chunked" else f"Content-Length: {len(whole)}"
    receiver = clients.raw(request("GET", f"/{name}", minor=minor))
    sender = clients.raw(request("PUT", f"/{name}", field))
    sender.until(b"Streaming")
    sender.send(whole[:cut])
    if end == "close":
        sender.half_close()
    else:
        sender.reset()
    assert not ends_cleanly(receiver)
    sender.close()
    receiver.close()
