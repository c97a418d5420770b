"""`?progress` in a browser: a page that shows a transfer, and how it ended (protocol E.1, F.6, Z.11)."""

import re
from collections.abc import Iterator

import pytest

from blackbox import lines
from blackbox.browser import Page, chromium
from blackbox.conftest import StartServer
from blackbox.harness import Clients, eventually
from blackbox.rawhttp import Answer, request
from blackbox.sse import status

BROWSER = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One browser for all tests."""
    with chromium(tmp_path_factory.mktemp("browser")) as page:
        yield page


def ask(clients: Clients, path: str) -> Answer:
    return clients.raw(request("GET", path, BROWSER)).answer()


# E.1, F.6: the page


def test_a_browser_gets_a_page_that_takes_no_slot(clients: Clients, name: str) -> None:
    answer = ask(clients, f"/{name}?progress")
    assert answer.status == 200
    assert answer.fields["content-type"] == "text/html; charset=utf-8"
    assert answer.fields["cache-control"] == "no-store"
    assert b"<title>Hoody Pipe \xe2\x80\x94 Transfer Progress</title>" in answer.body
    assert status(clients, name)["state"] == "idle"


def test_nothing_runs_in_the_page_but_what_carries_its_nonce(clients: Clients, name: str) -> None:
    answers = [ask(clients, f"/{name}?progress") for _ in range(2)]
    nonces = [re.findall(r'nonce="([^"]+)"', answer.body.decode()) for answer in answers]
    assert nonces[0] != nonces[1]
    for answer, (nonce, *others) in zip(answers, nonces, strict=True):
        assert others == [nonce]
        assert answer.fields["content-security-policy"] == (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'"
        )


def test_the_name_is_text_whatever_it_is(clients: Clients, name: str) -> None:
    body = ask(clients, f"/{name}<b>&\"'?progress").body.decode()
    assert f"<h1>/{name}&lt;b&gt;&amp;&quot;&#x27;</h1>" in body


# E.1, Z.11: what a person sees


@pytest.mark.needs("chromium")
def test_it_follows_a_transfer_from_nobody_to_the_last_line(clients: Clients, name: str, page: Page) -> None:
    page.open(clients.pipe(name, "progress"))
    assert page.shows("Nobody is here yet")
    sender = clients.raw(request("PUT", f"/{name}?size=2k&sha256", "Transfer-Encoding: chunked"))
    assert page.shows("Waiting for receivers")
    receiver = clients.raw(request("GET", f"/{name}"))
    sender.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
    assert page.shows("Streaming, about 50 %")
    assert "1.00 kB of about 2.00 kB" in page.text
    assert "1 of 1" in page.text
    sender.send(b"0\r\n\r\n")
    assert sender.answer().lines[-1] == lines.COMPLETE
    assert receiver.answer().complete
    assert page.shows("\nComplete\n")
    assert "1.00 kB (1,000 bytes)" in page.text
    assert "/s on average" in page.text
    assert status(clients, name)["sha256"] in page.text


@pytest.mark.needs("chromium")
def test_opened_after_the_end_it_shows_how_that_was(private: StartServer, name: str, page: Page) -> None:
    """Both while the name still shows its end and later."""
    clients = private("--recent-time", "3").clients
    clients.raw(request("GET", f"/{name}")).close()
    sender = clients.raw(request("PUT", f"/{name}", "Content-Length: 10") + b"12345")
    receiver = clients.raw(request("GET", f"/{name}"))
    receiver.head()
    receiver.exactly(5)
    sender.reset()
    assert eventually(lambda: status(clients, name)["state"] == "failed")
    page.open(clients.pipe(name, "progress"))
    assert page.shows("Transfer already finished: Failed")
    assert "Sender disconnected" in page.text
    assert "5 B (5 bytes)" in page.text
    assert eventually(lambda: status(clients, name)["state"] == "idle")
    page.open(clients.pipe(name, "progress&again"))
    assert page.shows("Last transfer: Failed")
    assert "Sender disconnected" in page.text


@pytest.mark.needs("chromium")
def test_it_says_when_too_many_watch(private: StartServer, name: str, page: Page) -> None:
    clients = private("--max-spectators", "1").clients
    clients.raw(request("PUT", f"/{name}", body=b"x")).head()
    clients.raw(request("GET", f"/{name}?progress")).head()
    page.open(clients.pipe(name, "progress"))
    assert page.shows("Too many are watching; reload later")
