"""What is refused, with which status and line, and that a refusal harms nobody (protocol A, B.4, C.4, Z.1, Z.6)."""

import pytest

from blackbox import lines
from blackbox.harness import Clients
from blackbox.rawhttp import Ended, Raw, request

BAD = "[ERROR] Bad request — "
BODY = b"still here"


# A.1, A.3, A.4, B.4, C.4, E.3, F.5, F.6, J: requests that cannot be served


def is_untouched(clients: Clients, name: str) -> bool:
    """Whether a transfer on `name` passes now."""
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", body=BODY))
    return receiver.answer().body == BODY and sender.answer().lines[-1] == lines.COMPLETE


PIPES = [
    ("PUT", "/help", 400, "[ERROR] '/help' is a reserved path. Use a custom path like '/myfile' or '/transfer123'."),
    ("POST", "/", 400, "[ERROR] '/' is a reserved path. Use a custom path like '/myfile' or '/transfer123'."),
    ("DELETE", "/help", 405, "[ERROR] Method DELETE is not allowed."),
    ("PUT", "/api/v1/pipe/health", 405, "[ERROR] Method PUT is not allowed."),
    ("DELETE", "/{name}", 405, "[ERROR] Method DELETE is not allowed. Use GET, POST, or PUT."),
    ("GET", "/health", 404, "[ERROR] '/health' is not a valid path. Use '/api/v1/pipe/health'."),
    ("OPTIONS", "/Metrics/", 404, "[ERROR] '/metrics' is not a valid path. Use '/api/v1/pipe/metrics'."),
    ("HEAD", "/health", 404, None),
    ("HEAD", "/{name}", 405, None),
    ("HEAD", "/{name}?progress", 405, None),
    ("GET", "/{name}?status&transfer=abcdefghijklmnop", 404, "[ERROR] Unknown or expired transfer."),
    ("HEAD", "/{name}?status&transfer=abcdefghijklmnop", 404, None),
    ("GET", "/{name}?status&last", 404, "[ERROR] Unknown or expired transfer."),
    ("GET", "/noscript", 501, "[ERROR] '/noscript' is not available on this server."),
    ("PUT", "/{name}?live", 501, "[ERROR] ?live is not available on this server."),
    ("GET", "/{name}?live", 501, "[ERROR] ?live is not available on this server."),
    ("GET", "/{name}?ws", 501, "[ERROR] WebSocket relay is not enabled on this server."),
]


@pytest.mark.parametrize(("method", "target", "status", "line"), PIPES)
def test_a_request_that_cannot_be_served_gets_one_line(
    clients: Clients, name: str, method: str, target: str, status: int, line: str | None
) -> None:
    body = b"" if method in ("PUT", "POST") else None
    answer = clients.raw(request(method, target.format(name=name), body=body)).answer(method)
    assert (answer.status, answer.lines) == (status, [line] if line else [])
    assert answer.fields["content-type"].startswith("text/plain")
    assert is_untouched(clients, name)


@pytest.mark.parametrize("accept", ["text/html", "text/html, text/event-stream", "Text/HTML;q=0.9, */*"])
@pytest.mark.parametrize("page", ["video", "share", "receive"])
def test_a_page_that_is_not_there_yet_takes_no_slot(clients: Clients, name: str, page: str, accept: str) -> None:
    answer = clients.raw(request("GET", f"/{name}?{page}", f"Accept: {accept}")).answer()
    assert (answer.status, answer.lines) == (501, [f"[ERROR] ?{page} is not available on this server."])
    assert is_untouched(clients, name)


# Z.6: heads and chunks

HEADS = [
    (b"GET /{name} HTTP/1.1\r\n\r\n", BAD + "exactly one Host header is needed."),
    (b"GET /{name} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", BAD + "exactly one Host header is needed."),
    (b"GET /{name} HTTP/1.1\nHost: a\n\n", BAD + "a line must end with CR LF."),
    (b"GET /{name} HTTP/1.1\r\nHost : a\r\n\r\n", BAD + "no space is allowed before the colon of a header."),
    (b"GET /{name} HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", BAD + "a folded header line is not allowed."),
    (b"GET /{name} HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", BAD + "control characters are not allowed."),
    (b"G(T /{name} HTTP/1.1\r\nHost: a\r\n\r\n", BAD + "the request line is malformed."),
    (b"GET /{name} HTTP/3.0\r\nHost: a\r\n\r\n", BAD + "only HTTP/1.0 and HTTP/1.1 are spoken here."),
    (b"GET http://a/{name} HTTP/1.1\r\nHost: a\r\n\r\n", BAD + "the request target must be a path."),
    (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", BAD + "the request target must be a path."),
    (
        b"PUT /{name} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        BAD + "Content-Length and Transfer-Encoding must be valid, and only one of them given.",
    ),
    (
        b"PUT /{name} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        BAD + "Content-Length and Transfer-Encoding must be valid, and only one of them given.",
    ),
    (
        b"PUT /{name} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        BAD + "the only Transfer-Encoding is chunked, over HTTP/1.1.",
    ),
    (b"GET /{name} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", BAD + "a body is only taken by PUT and POST."),
]


@pytest.mark.parametrize(("head", "line"), HEADS)
def test_a_malformed_head_is_refused_and_the_connection_closed(
    clients: Clients, name: str, head: bytes, line: str
) -> None:
    raw = clients.raw(head.replace(b"{name}", name.encode()))
    answer = raw.answer()
    assert (answer.status, answer.lines) == (400, [line])
    assert ends(raw)
    assert is_untouched(clients, name)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"PUT /{name} HTTP/1.0\r\n\r\n", 411),
        (b"PUT /{name} HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n", 417),
        (b"GET /{name} HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 33_000 + b"\r\n\r\n", 431),
        (b"GET /{name} HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40_000, 431),
    ],
)
def test_other_heads_are_refused_with_their_own_status(clients: Clients, name: str, head: bytes, status: int) -> None:
    raw = clients.raw().offer(head.replace(b"{name}", name.encode()))
    answer = raw.answer()
    assert answer.status == status
    assert len(answer.lines) == 1
    assert answer.lines[0].startswith("[ERROR] ")
    assert ends(raw)
    assert is_untouched(clients, name)


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\n",
        b"5\r\nhelloX",
        b"5\nhello\r\n",
        b" 5\r\nhello\r\n",
        b"5\r\nhello\n",
        b"1" * 17 + b"\r\n",
        b"0\r\nbad\r\n\r\n",
    ],
)
def test_a_malformed_chunk_breaks_its_own_transfer_only(clients: Clients, name: str, body: bytes) -> None:
    receiver = clients.raw(request("GET", f"/{name}"))
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked") + body)
    told = sender.answer()
    assert not told.complete
    assert told.lines[-1] == lines.SENDER_FAILED
    assert not receiver.answer().complete
    assert is_untouched(clients, name)


def test_chunk_extensions_and_trailers_never_get_through(clients: Clients, name: str) -> None:
    receiver = clients.raw(request("GET", f"/{name}"))
    body = b'5;a="b"\r\nhello\r\n1 ; c\r\n!\r\n0;last\r\nSecret: trailer\r\n\r\n'
    sender = clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked") + body)
    receiver.until(b"\r\n\r\n")
    assert receiver.until(b"0\r\n\r\n") == b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
    assert sender.answer().complete


def test_a_refused_upload_does_not_lose_the_line_to_a_reset(clients: Clients, name: str) -> None:
    answer = clients.send_file("help", b"x" * 5_000_000, "-i").finish()
    assert b"is a reserved path" in answer.out


def ends(raw: Raw) -> bool:
    try:
        raw.exactly(1)
    except Ended:
        return True
    return False
