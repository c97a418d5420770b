"""Uploads from forms: `curl -F`, browsers (protocol B.5, F.2, H)."""

import hashlib
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import Clients, eventually
from blackbox.rawhttp import Answer, Ended, Raw, chunked, request
from blackbox.sse import status

# B.5, B.6, F.2: forms

TYPE = "Content-Type: multipart/form-data; boundary=xyz"
FAILED = [lines.SENDER_FAILED]


def part(disposition: str, data: bytes, content_type: str = "text/css") -> bytes:
    head = f"--xyz\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: {content_type}\r\n\r\n"
    return head.encode() + data + b"\r\n"


END = b"--xyz--\r\n"
FILE = part('name="f"; filename="a.txt"', b"the file")


def receive(clients: Clients, name: str) -> Raw:
    """A receiver that waits already."""
    receiver = clients.raw(request("GET", f"/{name}"))
    assert eventually(lambda: status(clients, name)["activeReceivers"] == 1)
    return receiver


def send(clients: Clients, name: str, body: bytes, query: str = "") -> Raw:
    return clients.raw(request("POST", f"/{name}?{query}", TYPE, body=body))


def delivered(clients: Clients, name: str, body: bytes) -> Answer:
    """What a receiver gets of a form that is sent in good order."""
    receiver = receive(clients, name)
    sender = send(clients, name, body)
    answer = receiver.answer()
    assert sender.answer().lines == lines.whole(there=1)
    return answer


def test_curl_sends_the_first_file_of_its_form(clients: Clients, name: str) -> None:
    path, other = clients.file(b"the bytes of the file" * 10_000), clients.file(b"another file")
    receiver = clients.receive(name, "-i")
    form = ("-F", "before=text", "-F", f"file=@{path};filename=report.pdf", "-F", f"more=@{other}", "-F", "after=text")
    sender = clients.curl("-f", *form, clients.pipe(name))
    assert (sender.finish().code, sender.finish().lines[-1]) == (0, lines.COMPLETE)
    head, _, body = receiver.finish().out.partition(b"\r\n\r\n")
    assert (receiver.finish().code, body) == (0, b"the bytes of the file" * 10_000)
    assert b'Content-Disposition: attachment; filename="report.pdf"' in head
    assert b"Content-Type: application/pdf" in head


def test_the_part_describes_the_stream_and_its_length_is_not_told(clients: Clients, name: str) -> None:
    answer = delivered(clients, name, part('name="x"', b"dropped") + FILE + part('name="y"', b"ignored") + END)
    assert answer.body == b"the file"
    assert answer.fields["content-type"] == "text/css"
    assert answer.fields["content-disposition"] == 'attachment; filename="a.txt"'
    assert ("content-length" in answer.fields, answer.fields["transfer-encoding"]) == (False, "chunked")
    report = status(clients, name)
    assert (report["state"], report["bytesTransferred"], report["totalBytes"]) == ("complete", 8, None)


def test_a_part_without_a_type_is_octets(clients: Clients, name: str) -> None:
    body = b"--xyz\r\ncontent-disposition:form-data;name=f;filename=plain.bin\r\n\r\n\x00\xff\r\n" + END
    answer = delivered(clients, name, body)
    assert (answer.body, answer.fields["content-type"]) == (b"\x00\xff", "application/octet-stream")
    assert answer.fields["content-disposition"] == 'attachment; filename="plain.bin"'


@pytest.mark.parametrize("text", ["f\u00fcr", "łódź", "日本"])
def test_curl_sends_a_file_name_in_utf_8(clients: Clients, name: str, text: str) -> None:
    receiver = clients.receive(name, "-i")
    sender = clients.curl("-F", f"file=@{clients.file(b'x')};filename={text}.txt", clients.pipe(name))
    assert sender.finish().lines[-1] == lines.COMPLETE
    assert f"filename*=UTF-8''{quote(text)}.txt\r\n".encode() in receiver.finish().out


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "application/javascript"])
def test_a_type_that_a_browser_would_run_becomes_text(clients: Clients, name: str, content_type: str) -> None:
    answer = delivered(clients, name, part('name="f"; filename="x.html"', b"<script>", content_type) + END)
    assert answer.fields["content-type"] == "text/plain"


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=xyz", 'Multipart/FORM-Data; charset=x; boundary="xyz"']
)
def test_a_form_is_recognised_however_its_type_is_written(clients: Clients, name: str, content_type: str) -> None:
    receiver = clients.raw(request("GET", f"/{name}"))
    clients.raw(request("PUT", f"/{name}", f"Content-Type: {content_type}", body=FILE + END))
    assert receiver.answer().body == b"the file"


def test_a_form_cannot_be_live(clients: Clients, name: str) -> None:
    answer = send(clients, name, FILE + END, "live").answer()
    assert (answer.status, answer.lines) == (400, ['[ERROR] "live" does not support multipart/form-data.'])


def test_without_a_file_the_text_is_sent(clients: Clients, name: str) -> None:
    text = part('name="input_text"', "käse".encode())
    answer = delivered(clients, name, part('name="x"', b"1") + text + part('name="file"; filename=""', b"") + END)
    assert answer.body.decode() == "käse"
    assert answer.fields["content-type"] == "text/plain; charset=utf-8"
    assert "content-disposition" not in answer.fields


def test_the_text_may_be_as_long_as_the_limit(clients: Clients, name: str) -> None:
    text = bytes(1 << 20)
    receiver = clients.receive(name)
    sender = clients.raw()
    body = part('name="input_text"', text) + END
    threading.Thread(target=sender.offer, args=(request("POST", f"/{name}", TYPE, body=body),), daemon=True).start()
    assert receiver.finish().out == text


@pytest.mark.parametrize("text", [b"text", bytes((1 << 20) + 1)], ids=["short", "too long"])
def test_a_file_wins_over_a_text_before_it(clients: Clients, name: str, text: bytes) -> None:
    receiver = receive(clients, name)
    sender = clients.raw()
    body = request("POST", f"/{name}", TYPE, body=part('name="input_text"', text) + FILE + END)
    threading.Thread(target=sender.offer, args=(body,), daemon=True).start()
    assert receiver.answer().body == b"the file"
    assert sender.answer().lines[-1] == lines.COMPLETE


def test_a_file_input_that_was_left_empty_is_no_file(clients: Clients, name: str) -> None:
    empty = part('name="e"; filename=""', b"", "application/octet-stream")
    assert delivered(clients, name, empty + FILE + END).body == b"the file"


def test_of_several_texts_the_first_is_sent(clients: Clients, name: str) -> None:
    first, second = (part('name="input_text"', text) for text in (b"first", b"second"))
    assert delivered(clients, name, first + second + END).body == b"first"


def test_an_empty_file_and_an_empty_text_are_streams_too(clients: Clients, name: str) -> None:
    for body in (part('name="f"; filename="a"', b""), part('name="input_text"', b"")):
        answer = delivered(clients, name, body + END)
        assert (answer.status, answer.body, answer.complete) == (200, b"", True)


def test_several_receivers_and_those_of_http_1_0_get_the_same(clients: Clients, name: str) -> None:
    receivers = [clients.raw(request("GET", f"/{name}?n=3", minor=minor)) for minor in (1, 0, 1)]
    sender = clients.raw(request("POST", f"/{name}?n=3&sha256", TYPE, "Transfer-Encoding: chunked"))
    body = part('name="f"; filename="x"', b"0123456789" * 50_000) + END
    threading.Thread(target=sender.offer, args=(chunked(body[:9], body[9:500], body[500:]),), daemon=True).start()
    assert [receiver.answer().body for receiver in receivers] == [b"0123456789" * 50_000] * 3
    digest = hashlib.sha256(b"0123456789" * 50_000).hexdigest()
    assert sender.answer().lines[-3:] == [lines.UPLOAD_COMPLETE, f"[INFO] SHA-256: {digest}", lines.COMPLETE]


def test_the_end_of_the_part_ends_the_transfer(clients: Clients, name: str) -> None:
    """The form goes on, but nobody waits for it."""
    receiver = receive(clients, name)
    sender = clients.raw(
        request("POST", f"/{name}", TYPE, "Content-Length: 1000000") + FILE + part('name="x"', b"more")
    )
    assert receiver.answer().body == b"the file"
    answer = sender.answer()
    assert (answer.complete, answer.lines[-1], answer.fields["connection"]) == (True, lines.COMPLETE, "close")


def test_a_form_of_http_1_0_is_answered_at_its_end(clients: Clients, name: str) -> None:
    receiver = receive(clients, name)
    sender = clients.raw(request("POST", f"/{name}", TYPE, body=FILE + END, minor=0))
    assert receiver.answer().body == b"the file"
    answer = sender.answer()
    assert (answer.status, answer.lines, "content-length" in answer.fields) == (200, lines.whole(there=1), True)


BAD = {
    "nothing at all": b"",
    "nothing in it": END,
    "only other fields": part('name="x"', b"1") + END,
    "a text that is too long": part('name="input_text"', bytes((1 << 20) + 1)) + END,
    "no form at all": b"hello",
    "a head that is none": b"--xyz\r\nno colon\r\n\r\n",
    "a file that is not ended": FILE[:-2],
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_a_form_that_cannot_be_sent_is_an_error_for_everybody(clients: Clients, name: str, body: bytes) -> None:
    receiver = receive(clients, name)
    sender = clients.raw()
    threading.Thread(target=sender.offer, args=(request("POST", f"/{name}", TYPE, body=body),), daemon=True).start()
    answer = receiver.answer()
    assert (answer.status, answer.lines) == (500, FAILED)
    told = sender.answer()
    assert (told.status, told.complete, told.lines[-1]) == (200, False, lines.SENDER_FAILED)
    report = status(clients, name)
    assert (report["state"], report["reason"]) == ("failed", "Sender encountered an error")


def test_a_quiet_form_that_cannot_be_sent_is_the_fault_of_its_sender(clients: Clients, name: str) -> None:
    receiver = receive(clients, name)
    answer = send(clients, name, END, "quiet").answer()
    assert (answer.status, answer.complete, answer.lines[-1]) == (400, False, lines.SENDER_FAILED)
    assert receiver.answer().status == 500


@pytest.mark.parametrize("shown", [True, False])
def test_a_sender_that_ends_within_its_form_still_hears_of_it(clients: Clients, name: str, shown: bool) -> None:
    receiver = receive(clients, name)
    begun = part('name="f"; filename="x"' if shown else 'name="x"', b"x" * 100)[:-2]
    sender = clients.raw(request("POST", f"/{name}", TYPE, "Content-Length: 10000") + begun)
    sender.half_close()
    answer = sender.answer()
    assert (answer.complete, answer.lines[-1]) == (False, lines.SENDER_FAILED)
    got = receiver.answer()
    assert (got.status, got.complete) == ((200, False) if shown else (500, True))
    assert status(clients, name)["reason"] == "Sender disconnected"


def test_a_form_that_ends_within_its_file_breaks_who_streams(clients: Clients, name: str) -> None:
    receiver = receive(clients, name)
    sender = send(clients, name, part('name="f"; filename="x"', b"x" * 100_000)[:-2])
    answer = receiver.answer()
    assert (answer.status, answer.complete) == (200, False)
    assert sender.answer().lines[-1] == lines.SENDER_FAILED


@pytest.mark.parametrize("shown", [True, False])
def test_a_sender_that_dies_breaks_who_streams_and_refuses_who_waits(clients: Clients, name: str, shown: bool) -> None:
    receiver = receive(clients, name)
    begun = part('name="f"; filename="x"' if shown else 'name="x"', b"x" * 100)
    sender = clients.raw(request("POST", f"/{name}", TYPE, "Content-Length: 10000") + begun)
    sender.until(b"Streaming to")
    if shown:
        head = receiver.head()
        assert head.status == 200
        sender.reset()
        assert receiver.body_of(head).complete is False
    else:
        sender.reset()
        answer = receiver.answer()
        assert (answer.status, answer.lines) == (500, FAILED)


def test_a_form_whose_part_does_not_show_in_time_is_given_up(private: StartServer, name: str) -> None:
    clients = private("--multipart-wait", "0.2").clients
    receiver = receive(clients, name)
    sender = clients.raw(request("POST", f"/{name}", TYPE, "Content-Length: 1000") + part('name="x"', b"1"))
    assert receiver.answer().status == 500
    assert sender.answer().lines[-1] == lines.SENDER_FAILED


def test_a_part_that_has_shown_may_take_its_time(private: StartServer, name: str) -> None:
    clients = private("--multipart-wait", "0.2").clients
    receiver = receive(clients, name)
    body = FILE + END
    sender = clients.raw(request("POST", f"/{name}", TYPE, f"Content-Length: {len(body)}") + body[:-15])
    receiver.head()
    assert not receiver.ends_within(0.5)
    sender.send(body[-15:])
    assert sender.answer().lines[-1] == lines.COMPLETE


def test_a_receiver_that_leaves_before_the_part_shows_is_not_waited_for(clients: Clients, name: str) -> None:
    leaving, staying = (clients.raw(request("GET", f"/{name}?n=2")) for _ in range(2))
    body = FILE + END
    sender = clients.raw(request("POST", f"/{name}?n=2&require=any", TYPE, f"Content-Length: {len(body)}"))
    sender.until(b"Streaming to")
    leaving.close()
    sender.until(lines.RECEIVER_LEFT.encode())
    sender.send(body)
    assert staying.answer().body == b"the file"
    assert sender.until(lines.COMPLETE.encode())


def test_when_all_receivers_leave_before_the_part_shows_the_sender_hears_it(clients: Clients, name: str) -> None:
    receiver = receive(clients, name)
    sender = clients.raw(request("POST", f"/{name}", TYPE, "Content-Length: 1000"))
    sender.until(b"Streaming to")
    receiver.close()
    sender.until(lines.ALL_LEFT.encode() + b"\n\r\n")
    with pytest.raises(Ended):
        sender.exactly(1)
    assert status(clients, name)["state"] == "failed"


def test_a_large_form_takes_no_memory(private: StartServer, name: str) -> None:
    server = private()
    path = server.clients.file(bytes(300 << 20))
    before = server.rss
    receiver = server.clients.curl("-o", "/dev/null", "-w", "%{size_download}", server.clients.pipe(name))
    sender = server.clients.curl("-f", "-F", f"file=@{path}", server.clients.pipe(name))
    assert (sender.finish().code, receiver.finish().out) == (0, str(300 << 20).encode())
    assert server.rss - before < 8 << 20


PAGE = """<!doctype html><meta charset=utf-8>
<form method=post enctype=multipart/form-data action="{url}">
<input name=note value="not sent"><input type=file name=file><input name=input_text value="not sent either">
</form><script>
const bytes = new Uint8Array(300000).map((_, index) => index % 251);
const chosen = new DataTransfer();
chosen.items.add(new File([bytes], "f\\u00fcr dich.bin", {{type: "application/pdf"}}));
document.querySelector("input[type=file]").files = chosen.files;
document.forms[0].submit();
</script>"""


@pytest.mark.needs("chromium")
def test_a_browser_sends_the_file_of_a_form(clients: Clients, name: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE.format(url=clients.pipe(name)))
    receiver = clients.raw(request("GET", f"/{name}"))
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-proxy-server", f"--user-data-dir={tmp_path}")
    browser = clients.run("chromium", *flags, "--timeout=20000", "--dump-dom", page.as_uri())
    answer = receiver.answer()
    assert answer.body == bytes(index % 251 for index in range(300_000))
    assert answer.fields["content-type"] == "application/pdf"
    assert "filename*=UTF-8''f%C3%BCr%20dich.bin" in answer.fields["content-disposition"]
    assert lines.COMPLETE in browser.finish(60).out.decode()
