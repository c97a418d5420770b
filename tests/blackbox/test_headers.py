"""What responses say: forwarded fields, dispositions, CORS, pages, interim responses (protocol A.1, B.6, B.8, C.3)."""

import re
from urllib.parse import quote

import pytest

from blackbox import lines
from blackbox.harness import Clients
from blackbox.rawhttp import Answer, Head, request

# B.6, C.3: what a receiver is told


def receive(clients: Clients, name: str, *sent: str, query: str = "", asked: tuple[str, ...] = ()) -> Answer:
    """The response to a receiver when the sender sends these fields."""
    receiver = clients.raw(request("GET", f"/{name}?{query}", *asked))
    clients.raw(request("PUT", f"/{name}", *sent, body=b"body"))
    return receiver.answer()


def test_a_receiver_learns_type_length_and_transfer_id(clients: Clients, name: str) -> None:
    fields = receive(clients, name, "Content-Type: text/csv; charset=utf-8").fields
    assert fields["content-type"] == "text/csv; charset=utf-8"
    assert fields["content-length"] == "4"
    assert fields["x-robots-tag"] == "none"
    assert fields["x-accel-buffering"] == "no"
    assert fields["x-content-type-options"] == "nosniff"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", fields["x-hoody-pipe-transfer-id"])
    assert fields["access-control-expose-headers"] == "X-Hoody-Pipe-Transfer-Id"
    assert "transfer-encoding" not in fields
    assert "date" in fields


def test_a_type_that_runs_in_a_browser_becomes_text(clients: Clients, name: str) -> None:
    assert receive(clients, name, "Content-Type: text/html").fields["content-type"] == "text/plain"


def test_without_a_type_it_is_octets(clients: Clients, name: str) -> None:
    assert receive(clients, name).fields["content-type"] == "application/octet-stream"


def test_own_headers_pass_and_are_exposed_others_do_not(clients: Clients, name: str) -> None:
    fields = receive(clients, name, "X-Piping: a", "X-Hoody-Pipe: b", "X-Other: c", "Cookie: d").fields
    assert (fields["x-piping"], fields["x-hoody-pipe"]) == ("a", "b")
    assert fields["access-control-expose-headers"] == "X-Hoody-Pipe-Transfer-Id, X-Piping, X-Hoody-Pipe"
    assert not {"x-other", "cookie"} & set(fields)


def test_one_own_header_exposes_both_and_one_that_is_too_long_is_dropped(clients: Clients, name: str) -> None:
    fields = receive(clients, name, "X-Piping: " + "a" * 8192, "X-Hoody-Pipe: " + "b" * 8193).fields
    assert (len(fields["x-piping"]), "x-hoody-pipe" in fields) == (8192, False)
    assert fields["access-control-expose-headers"] == "X-Hoody-Pipe-Transfer-Id, X-Piping, X-Hoody-Pipe"
    assert receive(clients, name, "X-Piping: a\tb").fields["x-piping"] == "ab"


@pytest.mark.parametrize("text", ["café", "łódź", "日本", "\u201cquoted\u201d"])
def test_what_is_written_in_utf_8_arrives_as_it_was(clients: Clients, name: str, text: str) -> None:
    sent = (f"X-Piping: {text}", f'Content-Disposition: attachment; filename="{text}.txt"')
    fields = receive(clients, name, *sent).fields
    assert fields["x-piping"].encode("latin-1").decode() == text
    assert fields["content-disposition"].endswith(f"; filename*=UTF-8''{quote(text)}.txt")


@pytest.mark.parametrize(
    ("sent", "query", "seen"),
    [
        ((), "", None),
        (('Content-Disposition: attachment; filename="r.txt"',), "", 'attachment; filename="r.txt"'),
        (("Content-Disposition: inline",), "", "attachment"),
        (('Content-Disposition: attachment; filename="r.txt"',), "download=no", None),
        ((), "filename=a%0d%0ab%2F.pdf", 'attachment; filename="ab.pdf"'),
        ((), "filename=%C3%A9", "attachment; filename=\"_\"; filename*=UTF-8''%C3%A9"),
        ((), "filename=%FF", "attachment; filename=\"_\"; filename*=UTF-8''%EF%BF%BD"),
        ((), "filename", "attachment"),
        ((), "filename=%00%2F%5C..", "attachment"),
        ((), "filename=...x%00y", 'attachment; filename="xy"'),
        ((), "filename=" + "x" * 256, f'attachment; filename="{"x" * 255}"'),
        ((), 'filename=a"b', 'attachment; filename="a\\"b"'),
        ((), "filename=x&download=false", None),
        (('Content-Disposition: attachment; filename="r.txt"',), "download", 'attachment; filename="r.txt"'),
        (('Content-Disposition: attachment; filename="r.txt"',), "filename=x", 'attachment; filename="x"'),
        (("Content-Disposition: inline", "Content-Type: image/png"), "", "inline"),
        (("Content-Disposition: inline", "Content-Type: image/png"), "filename=x", 'attachment; filename="x"'),
    ],
)
def test_each_receiver_shapes_its_disposition(
    clients: Clients, name: str, sent: tuple[str, ...], query: str, seen: str | None
) -> None:
    assert receive(clients, name, *sent, query=query).fields.get("content-disposition") == seen


def test_one_receiver_saves_what_the_other_shows(clients: Clients, name: str) -> None:
    first, second = (clients.raw(request("GET", f"/{name}?n=2&download{value}")) for value in ("", "=0"))
    clients.raw(request("PUT", f"/{name}?n=2", 'Content-Disposition: attachment; filename="r.txt"', body=b"body"))
    saved, shown = first.answer(), second.answer()
    assert saved.body == shown.body == b"body"
    assert saved.fields["content-disposition"] == 'attachment; filename="r.txt"'
    assert "content-disposition" not in shown.fields


@pytest.mark.parametrize(("raw", "shown"), [(b"\xff", "%EF%BF%BD"), ("é".encode(), "%C3%A9")])
def test_a_file_name_may_hold_any_bytes(clients: Clients, name: str, raw: bytes, shown: str) -> None:
    """Bytes that are no UTF-8 once broke the transfer, and the name with it."""
    for _ in range(2):
        receiver = clients.raw(request("GET", f"/{name}?filename=RAW").replace(b"RAW", raw))
        sender = clients.raw(request("PUT", f"/{name}", body=b"data"))
        answer = receiver.answer()
        assert answer.body == b"data"
        assert answer.fields["content-disposition"] == f"attachment; filename=\"_\"; filename*=UTF-8''{shown}"
        assert sender.answer().complete


def test_download_names_the_file_after_the_pipe(clients: Clients, name: str) -> None:
    seen = receive(clients, f"a/{name}", query="download").fields["content-disposition"]
    assert seen == f'attachment; filename="{name}"'


# B.6, B.8, G, J: what a page of another origin may read

PREFIX = "/api/v1/pipe"
ORIGIN = "https://a.example"
ANSWERS = [
    ("PUT", "/{name}", 200),
    ("PUT", "/{name}?n=x", 400),
    ("GET", "/%", 400),
    ("GET", "/health", 404),
    ("HEAD", "/{name}", 405),
    ("GET", "/{name}?status", 200),
    ("HEAD", "/{name}?status", 200),
    ("GET", "/{name}?progress", 200),
    ("OPTIONS", "/{name}", 200),
    ("OPTIONS", "/help", 200),
    *[(method, "/help", 200) for method in ("GET", "HEAD")],
    *[(method, PREFIX + "/health", 200) for method in ("GET", "HEAD")],
    *[(method, PREFIX + "/metrics", 200) for method in ("GET", "HEAD")],
    *[(method, PREFIX + "/openapi.json", 200) for method in ("GET", "HEAD")],
    *[("OPTIONS", PREFIX + page, 204) for page in ("/health", "/metrics", "/openapi.json")],
    ("GET", "/favicon.ico", 204),
    ("GET", "/robots.txt", 200),
]


@pytest.mark.parametrize(("method", "target", "status"), ANSWERS)
def test_every_answer_reflects_the_origin_and_is_never_kept(
    clients: Clients, name: str, method: str, target: str, status: int
) -> None:
    def head(*fields: str) -> Head:
        return clients.raw(request(method, target.format(name=name + str(len(fields))), *fields)).head()

    own, reflected, opaque = head(), head(f"Origin: {ORIGIN}"), head("Origin: null", "Accept-Encoding: gzip, br")
    assert [one.status for one in (own, reflected, opaque)] == [status] * 3
    assert [one.fields["cache-control"] for one in (own, reflected, opaque)] == ["no-store"] * 3
    assert not [one for one in (own, reflected, opaque) if "content-encoding" in one.fields]
    assert reflected.fields["access-control-allow-origin"] == ORIGIN
    assert (reflected.fields["access-control-allow-credentials"], reflected.fields["vary"]) == ("true", "Origin")
    for one in (own, opaque):
        assert one.fields["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in one.fields


def test_a_page_may_read_the_stream_that_it_asked_for(clients: Clients, name: str) -> None:
    fields = receive(clients, name, asked=(f"Origin: {ORIGIN}",)).fields
    assert fields["access-control-allow-origin"] == ORIGIN
    assert fields["access-control-allow-credentials"] == "true"
    assert receive(clients, name, asked=("Origin: null",)).fields["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/{name}", "/help", "/", PREFIX, "/favicon.ico", "/robots.txt", "/noscript."])
def test_a_preflight_is_granted(clients: Clients, name: str, path: str) -> None:
    asked = (f"Origin: {ORIGIN}", "Access-Control-Request-Private-Network: true")
    answer = clients.raw(request("OPTIONS", path.format(name=name), *asked)).answer()
    assert (answer.status, answer.body) == (200, b"")
    assert answer.fields["access-control-allow-methods"] == "GET, POST, PUT, OPTIONS"
    assert answer.fields["access-control-allow-headers"] == (
        "Content-Type, Content-Disposition, Authorization, X-Piping, X-Hoody-Pipe"
    )
    assert answer.fields["access-control-max-age"] == "86400"
    assert answer.fields["access-control-allow-private-network"] == "true"
    with_status = clients.raw(request("OPTIONS", path.format(name=name) + "?status")).answer()
    assert with_status.fields["access-control-allow-methods"] == "GET, HEAD, POST, PUT, OPTIONS"
    assert "access-control-allow-private-network" not in with_status.fields


# A.1, A.3, B.4, G: pages and methods


def test_405_says_what_is_allowed(clients: Clients, name: str) -> None:
    assert clients.raw(request("HEAD", f"/{name}")).answer("HEAD").fields["allow"] == "GET, POST, PUT, OPTIONS"
    with_status = clients.raw(request("DELETE", f"/{name}?status")).answer()
    assert with_status.fields["allow"] == "GET, HEAD, POST, PUT, OPTIONS"
    assert clients.raw(request("DELETE", f"/{name}")).answer().fields["allow"] == "GET, POST, PUT, OPTIONS"
    assert clients.raw(request("PATCH", "/help")).answer().fields["allow"] == "GET, HEAD, OPTIONS"


def test_the_help_page_is_text_with_urls_of_this_host(clients: Clients) -> None:
    answer = clients.raw(request("GET", "/api/v1/pipe/help")).answer()
    assert answer.body.startswith(b"Hoody Pipe 0.")
    assert b"http://pipe.example/api/v1/pipe/" in answer.body
    raw = clients.raw(request("HEAD", "/help") + request("GET", "/robots.txt"))
    assert raw.answer("HEAD").status == 200
    assert raw.answer().body == b"User-agent: *\nDisallow: /\n"


# B.2, J: what a sender is told at once


def test_a_sender_that_expects_100_gets_it_before_anything_else(clients: Clients, name: str) -> None:
    raw = clients.raw(request("PUT", f"/{name}", "Expect: 100-continue", "Content-Length: 4"))
    assert raw.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert raw.head().status == 200
    raw.until(lines.waiting().encode())
    receiver = clients.raw(request("GET", f"/{name}"))
    raw.send(b"body")
    assert receiver.answer().body == b"body"


def test_a_sender_is_answered_before_its_body_is_read(clients: Clients, name: str) -> None:
    head = clients.raw(request("PUT", f"/{name}", "Content-Length: 4")).head()
    assert head.status == 200
    assert head.fields["content-type"].startswith("text/plain")
    assert head.fields["transfer-encoding"] == "chunked"
    assert head.fields["x-accel-buffering"] == "no"
