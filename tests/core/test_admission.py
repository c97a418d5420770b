"""What a request asks for (protocol A, B.1, B.4, C.4)."""

import pytest

from hoody_pipe.core.admission import Page, Preflight, Receive, Send, Status, Watch, admit
from hoody_pipe.core.limits import Limits
from hoody_pipe.errors import Refused

LIMITS = Limits()
HTML = {"accept": "text/html,*/*"}


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_put_and_post_send(method: str) -> None:
    intent = admit(method, "/x?n=3&wait=5&require=any&_=1", {"content-length": "7"}, LIMITS)
    assert isinstance(intent, Send)
    assert (intent.name, intent.n, intent.wait, intent.require_any) == ("/x", 3, 5, True)
    assert intent.forwarded.length == 7


@pytest.mark.parametrize("query", ["", "?status=0", "?video", "?receive&share", "?live=0", "?ws=no"])
def test_get_receives(query: str) -> None:
    intent = admit("GET", "/x" + query, {}, LIMITS)
    assert isinstance(intent, Receive)
    assert (intent.name, intent.n, intent.wait) == ("/x", 1, 300)


def test_a_sender_may_choose_an_id_ask_for_a_digest_and_estimate_its_size() -> None:
    intent = admit("PUT", "/x?transfer=abcdefghijklmnop&sha256&size=2k", {}, LIMITS)
    assert isinstance(intent, Send)
    assert (intent.transfer, intent.sha256, intent.size) == ("abcdefghijklmnop", True, 2000)
    assert isinstance(admit("PUT", "/x?status", {}, LIMITS), Send)


@pytest.mark.parametrize("boundary", ["a-b", '"a b?c"', "'x'"])
def test_a_form_has_a_boundary_and_the_part_in_it_no_length(boundary: str) -> None:
    headers = {"content-type": f"Multipart/Form-Data; charset=x; boundary={boundary}", "content-length": "7"}
    intent = admit("POST", "/x", headers, LIMITS)
    assert isinstance(intent, Send)
    assert (intent.boundary, intent.forwarded.length) == (boundary.strip('"'), None)


def test_another_type_is_no_form() -> None:
    intent = admit("POST", "/x", {"content-type": "multipart/mixed; boundary=x"}, LIMITS)
    assert isinstance(intent, Send)
    assert intent.boundary is None


def test_a_receiver_may_ask_for_a_digest() -> None:
    intent = admit("GET", "/x?sha256=yes", {}, LIMITS)
    assert isinstance(intent, Receive)
    assert intent.sha256


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_status_comes_before_everything(method: str) -> None:
    assert admit(method, "/x?status&n=0&wait=x&progress&live&ws", HTML, LIMITS) == Status("/x", None, False)
    assert admit(method, "/x?status&last&transfer=abcdefghijklmnop", {}, LIMITS) == Status(
        "/x", "abcdefghijklmnop", True
    )


@pytest.mark.parametrize("accept", ["text/event-stream, text/html", "*/*", "application/json"])
def test_progress_makes_a_spectator(accept: str) -> None:
    assert admit("GET", "/x?progress&ws", {"accept": accept}, LIMITS) == Watch("/x")


def test_get_shows_a_reserved_page() -> None:
    assert admit("GET", "/help", {}, LIMITS) == Page("/help")
    assert admit("HEAD", "/api/v1/pipe/health", {}, LIMITS) == Page("/health")


@pytest.mark.parametrize(
    ("target", "methods"),
    [
        ("/x", "GET, POST, PUT, OPTIONS"),
        ("/x?status", "GET, HEAD, POST, PUT, OPTIONS"),
        ("/help", "GET, POST, PUT, OPTIONS"),
        ("/help?status", "GET, HEAD, POST, PUT, OPTIONS"),
    ],
)
def test_options_is_a_preflight(target: str, methods: str) -> None:
    assert admit("OPTIONS", target, {}, LIMITS) == Preflight(methods)


def test_options_on_a_page_of_figures_is_a_preflight_of_its_own() -> None:
    assert admit("OPTIONS", "/api/v1/pipe/metrics", {}, LIMITS) == Preflight("GET, HEAD, OPTIONS", for_pipes=False)


@pytest.mark.parametrize(
    ("method", "target", "headers", "status", "part"),
    [
        ("PUT", "/help", {}, 400, "'/help' is a reserved path"),
        ("DELETE", "/help", {}, 405, "Method DELETE is not allowed."),
        ("PUT", "/api/v1/pipe/health", {}, 405, "Method PUT is not allowed."),
        ("DELETE", "/x", {}, 405, "Method DELETE is not allowed. Use GET, POST, or PUT."),
        ("HEAD", "/x", {}, 405, "Method HEAD is not allowed. Use GET, POST, or PUT."),
        ("DELETE", "/x?status", {}, 405, "Method DELETE is not allowed. Use GET, POST, or PUT."),
        ("GET", "/x?status&transfer=short", {}, 400, "Invalid transfer id."),
        ("GET", "/x?status&transfer=abcdefghijklmnop&ws", {}, 400, '"transfer" is not supported with ?ws.'),
        ("PUT", "/x", {"content-range": "bytes 0-1/2"}, 400, "Content-Range headers are not supported."),
        ("PUT", "/x", {"service-worker": "script"}, 400, "Service Worker requests are not allowed."),
        ("GET", "/x", {"service-worker": "script"}, 400, "Service Worker requests are not allowed."),
        ("PUT", "/x?live", {}, 501, "?live"),
        ("PUT", "/x?transfer=abcdefghijklmno", {}, 400, 'Invalid "transfer"'),
        ("PUT", "/x?size=big", {}, 400, 'Invalid size — "size" must be a number of bytes'),
        ("PUT", "/x", {"content-type": "Multipart/Form-Data"}, 400, "Invalid multipart/form-data"),
        ("PUT", "/x?live", {"content-type": "multipart/form-data; boundary=x"}, 400, '"live" does not support'),
        ("PUT", "/x?live&ws=1", {}, 400, '"live" cannot be combined with "ws".'),
        ("GET", "/x?live&ws&progress&n=0", {"service-worker": "script"}, 400, '"live" cannot be combined with "ws".'),
        ("GET", "/x?video", {"accept": "Text/HTML, text/event-stream"}, 501, "?video"),
        ("GET", "/x?video", HTML, 501, "?video"),
        ("GET", "/x?ws", {}, 501, "WebSocket relay is not enabled on this server."),
        ("GET", "/x?live", {}, 501, "?live"),
        ("GET", "/x?n=0", {}, 400, "Invalid receiver count"),
        ("PUT", "/x?wait=0", {}, 400, "Wait out of range"),
    ],
)
def test_what_cannot_be_served_is_refused(
    method: str, target: str, headers: dict[str, str], status: int, part: str
) -> None:
    with pytest.raises(Refused) as caught:
        admit(method, target, headers, LIMITS)
    assert caught.value.refusal.status == status
    assert part in caught.value.refusal.line
    assert caught.value.refusal.line.startswith("[ERROR] ")


def test_405_lists_what_is_allowed_head_only_with_status() -> None:
    for target, allow in [
        ("/x", "GET, POST, PUT, OPTIONS"),
        ("/x?status", "GET, HEAD, POST, PUT, OPTIONS"),
        ("/help", "GET, HEAD, OPTIONS"),
    ]:
        with pytest.raises(Refused) as caught:
            admit("DELETE", target, {}, LIMITS)
        assert caught.value.refusal.allow == allow
