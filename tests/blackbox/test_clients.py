"""Clients that know nothing of this server: what they need from it (protocol J)."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from blackbox import lines
from blackbox.harness import Clients, Process

# J: programs and libraries

BODY = bytes(range(256)) * 2000
URLLIB = """
import shutil, sys, urllib.request
data = open(sys.argv[2], "rb").read() if sys.argv[2:] else None
asked = urllib.request.Request(sys.argv[1], data, method="PUT" if data else "GET")
shutil.copyfileobj(urllib.request.urlopen(asked), sys.stdout.buffer)
"""
REQUESTS = """
import requests, sys
kept = requests.Session()
kept.trust_env = False
got = kept.put(sys.argv[1], data=open(sys.argv[2], "rb")) if sys.argv[2:] else kept.get(sys.argv[1])
got.raise_for_status()
sys.stdout.buffer.write(got.content)
"""
PROGRAMS: dict[str, tuple[list[str], list[str]]] = {
    "curl": (["curl", "-qsf", "--noproxy", "*", "{url}"], ["-T", "{file}"]),
    "wget": (["wget", "-qO-", "--no-proxy", "{url}"], ["--method=PUT", "--body-file={file}"]),
    "urllib": ([sys.executable, "-c", URLLIB, "{url}"], ["{file}"]),
    "requests": ([sys.executable, "-c", REQUESTS, "{url}"], ["{file}"]),
}


def start(clients: Clients, program: str, url: str, file: str = "") -> Process:
    """A program that receives, or sends a file."""
    receives, sends = PROGRAMS[program]
    command = [*receives, *sends] if file else receives
    return clients.run(*(word.replace("{url}", url).replace("{file}", file) for word in command))


@pytest.mark.needs("wget")
@pytest.mark.parametrize("receiver", PROGRAMS)
@pytest.mark.parametrize("sender", PROGRAMS)
def test_any_program_sends_to_any_other_and_reads_how_it_went(
    clients: Clients, name: str, sender: str, receiver: str
) -> None:
    receiving = start(clients, receiver, clients.pipe(name))
    sending = start(clients, sender, clients.pipe(name), clients.file(BODY))
    got, told = receiving.finish(), sending.finish()
    assert (got.code, got.out == BODY) == (0, True), got.err
    assert (told.code, told.lines[-1]) == (0, lines.COMPLETE), told.err


# J, B.6, B.8, E.1: a page of another origin in a browser

PAGE = """<!doctype html><script type=module>
const pipe = "{url}", seen = [], options = {{credentials: "include"}};
const source = new EventSource(pipe + "?progress", {{withCredentials: true}});
const heard = Object.fromEntries(["state", "progress", "done"].map(kind => [kind, new Promise(resolve =>
  source.addEventListener(kind, event => resolve(seen.push([kind, JSON.parse(event.data)]))))]));
const gone = new Promise(resolve => source.onerror = () => source.readyState === EventSource.CLOSED && resolve());
await heard.state;
const receiving = fetch(pipe + "?_=" + Math.random(), options);
const headers = {{"Content-Type": "text/csv", "X-Piping": "of mine"}};
const sent = await fetch(pipe, {{...options, method: "PUT", headers, body: "a,b"}});
const received = await receiving, told = await sent.text(), body = await received.text();
await heard.done;
await gone;
const id = received.headers.get("X-Hoody-Pipe-Transfer-Id");
const refused = await fetch(pipe + "?n=0", options), last = await fetch(pipe + "?status", options);
const report = {{body, told, id, seen, piping: received.headers.get("X-Piping"), status: await last.json(),
  refused: [refused.status, await refused.text()]}};
await fetch("/report", {{method: "POST", body: JSON.stringify(report)}});
</script>"""

Reports = Queue[dict[str, Any]]


@pytest.fixture
def origin() -> Iterator[tuple[str, dict[str, str], Reports]]:
    """The address of a site, its pages, and what they report to it."""
    pages: dict[str, str] = {}
    reports: Reports = Queue()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in pages else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages.get(self.path, "").encode())

        def do_POST(self) -> None:
            reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}", pages, reports
        site.shutdown()


@pytest.mark.needs("chromium")
def test_a_page_of_another_origin_sends_receives_and_watches(
    clients: Clients, name: str, origin: tuple[str, dict[str, str], Reports], tmp_path: Path
) -> None:
    """With credentials, headers of its own and a cache buster; its EventSource comes again and is told to stay away."""
    url, pages, reports = origin
    pages["/page"] = PAGE.format(url=clients.pipe(name))
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-proxy-server", f"--user-data-dir={tmp_path}")
    clients.run("chromium", *flags, url + "/page")
    report = reports.get(timeout=60)
    assert (report["body"], report["piping"]) == ("a,b", "of mine")
    assert report["told"].endswith(lines.COMPLETE + "\n")
    assert report["refused"] == [400, '[ERROR] Invalid receiver count — "n" must be a positive integer.\n']
    assert (report["status"]["state"], report["status"]["transferId"]) == ("complete", report["id"])
    assert report["seen"][0] == [
        "state",
        {"state": "idle", "hasSender": False, "activeReceivers": 0, "totalReceivers": 0},
    ]
    assert (report["seen"][-1][0], report["seen"][-1][1]["state"]) == ("done", "complete")
