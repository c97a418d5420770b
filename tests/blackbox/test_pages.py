"""What the server says of itself (protocol A.1, A.3, G)."""

import hashlib
import json
import re
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import hoody_pipe
from blackbox import lines
from blackbox.conftest import StartServer
from blackbox.harness import Clients, eventually
from blackbox.rawhttp import request
from blackbox.sse import Spectator, status

PREFIX = "/api/v1/pipe"
HELP_PATHS = ["/help", PREFIX + "/help", "/HELP/", "/help.", "/Help./", "/help%2e", "/", PREFIX, PREFIX + "/"]


# A.1, A.3, G: help


@pytest.mark.parametrize("path", HELP_PATHS)
def test_the_help_is_found_under_every_spelling_of_its_name(clients: Clients, path: str) -> None:
    answer = clients.raw(request("GET", path)).answer()
    assert (answer.status, answer.fields["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.lines[:2] == [f"Hoody Pipe {hoody_pipe.__version__}", "Streaming Data Transfer over HTTP"]
    assert "======= Get  =======" in answer.lines


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ((), "http://pipe.example/api/v1/pipe"),
        (("X-Forwarded-Proto: https",), "https://pipe.example/api/v1/pipe"),
        (("Forwarded: for=10.0.0.1;proto=https;by=x",), "https://pipe.example/api/v1/pipe"),
        (("X-Forwarded-Proto: javascript",), "http://pipe.example/api/v1/pipe"),
    ],
)
def test_the_examples_show_the_url_that_was_asked(clients: Clients, fields: tuple[str, ...], shown: str) -> None:
    assert f"curl -f {shown}/mypath > myfile" in clients.raw(request("GET", "/help", *fields)).answer().lines


@pytest.mark.parametrize("host", ["a$(reboot)", "x;y", "a,b", "", "[::1]:80", "a.example:8080"])
def test_a_host_that_is_none_is_not_repeated(clients: Clients, host: str) -> None:
    answer = clients.raw(f"GET /help HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).answer()
    shown = host if host in ("[::1]:80", "a.example:8080") else "localhost"
    assert f"curl -f http://{shown}/api/v1/pipe/mypath > myfile" in answer.lines


def blocks(text: str) -> list[list[str]]:
    """The command lines of the help, those together that belong together."""
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        if not line.strip() or line.startswith("="):
            found.append([])
        elif re.match(r"(\w+ .*\| )?(curl|openssl|age) ", line):
            found[-1].append(line)
    return [block for block in found if block]


PREPARE = """
set -eu -o pipefail
cd "$1"
mkdir mydir there; echo content > mydir/file; seq 100000 > myfile; echo words > secret
mycommand() { cat myfile; }
age-keygen -o key.txt 2>/dev/null; age-keygen -y key.txt > key.pub
"""


SETUP = 'set -eu -o pipefail; cd "$1"; mycommand() { cat myfile; };'


def run(folder: Path, script: str) -> "subprocess.Popen[bytes]":
    """Start a script in a folder; what it prints goes to a file there."""
    with (folder / "printed").open("ab") as printed:
        return subprocess.Popen(["bash", "-c", script, "-", str(folder)], stdout=printed, stderr=printed)


@pytest.mark.needs("age", "zstd", "openssl")
def test_every_command_of_the_help_works(clients: Clients, tmp_path: Path) -> None:
    """Senders and receivers side by side; a command alone gets a plain partner; questions are asked while one waits."""
    text = subprocess.check_output(["curl", "-s", clients.url + "/help"], text=True)
    found = [block for block in blocks(text) if not re.search("pg_|psql", "".join(block))]
    assert len(found) > 12
    for number, block in enumerate(found):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert run(folder, PREPARE).wait(30) == 0
        commands = [
            line.replace("mypath", f"mypath{number}").replace("2026-11-24", f"2026-{number:06}") for line in block
        ]
        for command in commands:
            run_with_a_partner(clients, folder, f"mypath{number}", command, commands)


def run_with_a_partner(clients: Clients, folder: Path, name: str, command: str, block: list[str]) -> None:
    """Run one line of the help; what it needs on the other side is the other line of its block, or a plain curl."""
    is_sender = " -fT" in command or " -fF" in command
    asks = "status" in command or "progress" in command
    n = 3 if "n=3" in command else 1
    if asks:
        transfer(clients, name, command)
        assert run(folder, SETUP + command).wait(30) == 0, command
        return
    others = [line for line in block if (" -fT" in line or " -fF" in line) != is_sender and "?" not in line]
    url = clients.pipe(name, f"n={n}")
    plain = f"curl -sf '{url}' >/dev/null" if is_sender else f"curl -sfT myfile '{url}' >/dev/null"
    partners = [others[0] if others else plain]
    partners += [plain] * (n - 1 if is_sender else 0)
    if n == 3 and not is_sender:
        partners += [f"curl -sf '{url}' >/dev/null"] * 2
    in_another_folder = "cd there; cp ../secret ../key.txt ../key.pub ../myfile .; cp -r ../mydir .;"
    running = [run(folder, SETUP + command)]
    running += [run(folder, SETUP + (in_another_folder if not at else "") + one) for at, one in enumerate(partners)]
    for process in running:
        assert process.wait(30) == 0, (command, (folder / "printed").read_text()[-1000:])


def transfer(clients: Clients, name: str, command: str) -> None:
    """What there is to ask about: a receipt, an outcome, or for a spectator the end that it waits for."""
    chosen = re.search(r"transfer=([\w-]+)", command)
    query = f"transfer={chosen[1]}" if chosen else ""
    if chosen and clients.raw(request("GET", f"/{name}?status&transfer={chosen[1]}")).answer().status == 200:
        return
    sender = clients.raw(request("PUT", f"/{name}?{query}", body=b"x"))
    clients.raw(request("GET", f"/{name}")).answer()
    assert sender.answer().lines[-1] == lines.COMPLETE


# A.1, A.3: reserved names

RESERVED = [
    *[(path, "/help") for path in ("/help", "/Help/", "/help.", "/help./", "/help%2e", "/%68elp", PREFIX + "/HELP")],
    *[(path, "/") for path in ("/", PREFIX, PREFIX + "/", "//")],
    *[(path, "/noscript") for path in ("/noscript", "/NoScript.", PREFIX + "/noscript/")],
    *[(path, "/favicon.ico") for path in ("/favicon.ico", PREFIX + "/favicon.ico")],
    *[(path, "/robots.txt") for path in ("/robots.txt", PREFIX + "/Robots.txt")],
]


@pytest.mark.parametrize(("path", "page"), RESERVED)
def test_a_reserved_name_is_no_pipe(clients: Clients, path: str, page: str) -> None:
    for method in ("PUT", "POST"):
        answer = clients.raw(request(method, path, body=b"x")).answer()
        line = f"[ERROR] '{page}' is a reserved path. Use a custom path like '/myfile' or '/transfer123'."
        assert (answer.status, answer.lines) == (400, [line])
    for method in ("DELETE", "PATCH", "BREW"):
        answer = clients.raw(request(method, path)).answer()
        assert (answer.status, answer.lines) == (405, [f"[ERROR] Method {method} is not allowed."])
        assert answer.fields["allow"] == "GET, HEAD, OPTIONS"
    got, head = (clients.raw(request(method, path)).answer(method) for method in ("GET", "HEAD"))
    assert (head.status, head.body) == (got.status, b"")
    for field in ("content-type", "content-length"):
        assert head.fields.get(field) == got.fields.get(field)


@pytest.mark.parametrize("path", ["/robots.txt", PREFIX + "/robots.txt", "/Robots.TXT"])
def test_no_robot_is_welcome(clients: Clients, path: str) -> None:
    answer = clients.raw(request("GET", path)).answer()
    assert (answer.status, answer.body) == (200, b"User-agent: *\nDisallow: /\n")


@pytest.mark.parametrize("path", ["/favicon.ico", PREFIX + "/favicon.ico"])
def test_there_is_no_icon(clients: Clients, path: str) -> None:
    answer = clients.raw(request("GET", path)).answer()
    assert (answer.status, answer.body) == (204, b"")


# A.1, A.3, G, J: health


def test_health_is_a_flat_object_of_nine_fields(clients: Clients) -> None:
    answer = clients.raw(request("GET", PREFIX + "/health", "User-Agent: asker/1")).answer()
    assert (answer.status, answer.fields["content-type"]) == (200, "application/json")
    assert answer.fields["cache-control"] == "no-store"
    health = json.loads(answer.body)
    assert list(health) == ["status", "service", "built", "started", "memory", "fds", "pid", "ip", "userAgent"]
    assert (health["status"], health["service"], health["userAgent"]) == ("ok", "hoody-pipe", "asker/1")
    assert datetime.fromisoformat(health["started"]) <= datetime.now(UTC)
    assert health["memory"]["rss"] > 1 << 20
    assert health["fds"] > 3


@pytest.mark.parametrize(
    ("minor", "fields", "seen"),
    [
        (1, (), "HTTP/1.1; direct"),
        (0, (), "HTTP/1.0; direct"),
        (1, ("X-Forwarded-For: 10.0.0.1",), "HTTP/1.1; proxied"),
        (1, ("Via: 1.1 proxy",), "HTTP/1.1; proxied"),
        (0, ("Forwarded: for=10.0.0.1",), "HTTP/1.0; proxied"),
    ],
)
def test_health_says_how_the_request_came(clients: Clients, minor: int, fields: tuple[str, ...], seen: str) -> None:
    answer = clients.raw(request("GET", PREFIX + "/health", *fields, minor=minor)).answer()
    assert answer.fields["x-hoody-pipe-request"] == seen
    assert len(json.loads(answer.body)) == 9


def test_health_names_the_process_and_the_caller(private: StartServer) -> None:
    server = private()
    health = json.loads(server.clients.raw(request("GET", PREFIX + "/health")).answer().body)
    assert (health["pid"], health["ip"], health["userAgent"]) == (server.process.pid, "127.0.0.1", None)


@pytest.mark.parametrize("page", ["health", "metrics", "openapi.json"])
def test_a_page_of_figures_is_read_and_nothing_else(clients: Clients, page: str) -> None:
    path = f"{PREFIX}/{page}"
    got, head = (clients.raw(request(method, path)).answer(method) for method in ("GET", "HEAD"))
    assert (got.status, head.status, head.body) == (200, 200, b"")
    assert head.fields["content-type"] == got.fields["content-type"]
    preflight = clients.raw(request("OPTIONS", path, "Access-Control-Request-Private-Network: true")).answer()
    assert (preflight.status, preflight.body) == (204, b"")
    assert preflight.fields["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    assert preflight.fields["access-control-allow-headers"] == "Content-Type"
    assert "access-control-allow-private-network" not in preflight.fields
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        answer = clients.raw(request(method, path, body=b"")).answer()
        assert (answer.status, answer.lines) == (405, [f"[ERROR] Method {method} is not allowed."])
        assert answer.fields["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/health", "/METRICS", "/health/", "/Metrics."])
def test_figures_are_only_found_under_the_prefix(clients: Clients, path: str) -> None:
    name = "/" + path.strip("/.").lower()
    for method in ("GET", "PUT", "OPTIONS"):
        answer = clients.raw(request(method, path, body=b"" if method == "PUT" else None)).answer()
        line = f"[ERROR] '{name}' is not a valid path. Use '/api/v1/pipe{name}'."
        assert (answer.status, answer.lines) == (404, [line])


def test_without_the_prefix_the_name_of_the_document_is_an_ordinary_one(clients: Clients) -> None:
    sender = clients.raw(request("PUT", "/openapi.json", body=b"mine"))
    assert clients.raw(request("GET", "/openapi.json")).answer().body == b"mine"
    assert sender.answer().lines[-1] == lines.COMPLETE


# D, G: metrics

KINDS = {
    "build_info": "gauge",
    "start_time_seconds": "gauge",
    "pipes_active": "gauge",
    "spectators_active": "gauge",
    "transfers": "counter",
    "transferred_bytes": "counter",
    "hashed_bytes": "counter",
    "rejections": "counter",
    "ws_pairs_active": "gauge",
    "ws_relayed_bytes": "counter",
    "live_viewer_joins": "counter",
    "live_viewers_cut": "counter",
    "transfer_duration_seconds": "histogram",
    "time_to_first_byte_seconds": "histogram",
}
NAMES = [
    f'build_info{{version="{hoody_pipe.__version__}"}}',
    "start_time_seconds",
    'pipes_active{state="waiting"}',
    'pipes_active{state="streaming"}',
    "spectators_active",
    'transfers_total{result="completed"}',
    'transfers_total{result="failed"}',
    "transferred_bytes_total",
    "hashed_bytes_total",
    *[f'rejections_total{{reason="{cap}_cap"}}' for cap in ("pending", "spectator", "active", "ws", "live")],
    *[f'rejections_total{{reason="{kind}_timeout"}}' for kind in ("wait", "idle")],
    'ws_pairs_active{state="waiting"}',
    'ws_pairs_active{state="paired"}',
    "ws_relayed_bytes_total",
    "live_viewer_joins_total",
    'live_viewers_cut_total{reason="overflow"}',
    'live_viewers_cut_total{reason="stall"}',
    "transfer_duration_seconds_count",
    "time_to_first_byte_seconds_count",
]


def figures(clients: Clients) -> dict[str, float]:
    """All figures by name, without the prefix of the project."""
    answer = clients.raw(request("GET", PREFIX + "/metrics")).answer()
    pairs = [line.rsplit(" ", 1) for line in answer.lines if not line.startswith("#")]
    return {name.removeprefix("hoody_pipe_"): float(value) for name, value in pairs}


def test_metrics_have_all_names_each_explained_in_the_text_format(clients: Clients) -> None:
    answer = clients.raw(request("GET", PREFIX + "/metrics")).answer()
    assert answer.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.fields["cache-control"] == "no-store"
    assert set(NAMES) <= set(figures(clients))
    assert "# HELP hoody_pipe_transfers_total Transfers that started streaming, by how they ended." in answer.lines
    assert "# TYPE hoody_pipe_transfers_total counter" in answer.lines


def test_metrics_are_what_prometheus_reads(clients: Clients) -> None:
    answer = clients.raw(request("GET", PREFIX + "/metrics")).answer()
    families = list(text_string_to_metric_families(answer.body.decode()))
    assert {family.name.removeprefix("hoody_pipe_"): family.type for family in families} == KINDS
    assert all(family.documentation.endswith(".") and family.samples for family in families)
    shown = [sample for family in families for sample in family.samples]
    assert len({(sample.name, str(sorted(sample.labels.items()))) for sample in shown}) == len(shown)
    assert len(shown) == len([line for line in answer.lines if not line.startswith("#")])


def test_metrics_count_what_goes_wrong(private: StartServer, name: str) -> None:
    clients = private("--idle-timeout", "0.3").clients
    for path, answer in (("idle", b""), ("broken", b"x\r\n")):
        receiver = clients.raw(request("GET", f"/{name}-{path}"))
        clients.raw(request("PUT", f"/{name}-{path}", "Transfer-Encoding: chunked") + answer).answer()
        assert not receiver.answer().complete
    assert clients.raw(request("PUT", f"/{name}?wait=1", body=b"")).answer().complete is False
    seen = figures(clients)
    assert (seen['transfers_total{result="completed"}'], seen['transfers_total{result="failed"}']) == (0, 2)
    assert seen['rejections_total{reason="idle_timeout"}'] == 1
    assert seen['rejections_total{reason="wait_timeout"}'] == 1
    assert (seen["transfer_duration_seconds_count"], seen["time_to_first_byte_seconds_count"]) == (2, 0)
    assert seen['transfer_duration_seconds_bucket{le="0.1"}'] == 1


def test_metrics_count_what_happens(private: StartServer, name: str) -> None:
    clients = private("--max-waiting", "2", "--max-active", "1", "--max-spectators", "1").clients
    Spectator(clients, name)
    assert clients.raw(request("GET", f"/{name}?progress")).answer().status == 429
    sender = clients.raw(request("PUT", f"/{name}?sha256", "Content-Length: 100") + b"x" * 40)
    receiver = clients.raw(request("GET", f"/{name}"))
    receiver.head()
    receiver.exactly(40)
    clients.raw(request("GET", f"/{name}-2")).is_silent()
    assert eventually(lambda: figures(clients)['pipes_active{state="waiting"}'] == 1)
    seen = figures(clients)
    assert (seen['pipes_active{state="streaming"}'], seen["spectators_active"]) == (1, 1)
    assert (seen["transferred_bytes_total"], seen["hashed_bytes_total"]) == (40, 40)
    assert seen['rejections_total{reason="spectator_cap"}'] == 1
    assert clients.raw(request("PUT", f"/{name}-2", body=b"")).answer().complete is False
    assert figures(clients)['rejections_total{reason="active_cap"}'] == 1
    for number in range(2):
        clients.raw(request("GET", f"/{name}-w{number}?wait=1"))
    assert eventually(lambda: figures(clients)['pipes_active{state="waiting"}'] == 2)
    assert clients.raw(request("GET", f"/{name}-3")).answer().status == 429
    assert figures(clients)['rejections_total{reason="pending_cap"}'] == 1
    assert eventually(lambda: figures(clients)['rejections_total{reason="wait_timeout"}'] == 2)
    sender.send(b"x" * 60)
    receiver.exactly(60)
    assert sender.answer().lines[-1] == lines.COMPLETE
    seen = figures(clients)
    assert (seen["transferred_bytes_total"], seen["hashed_bytes_total"]) == (100, 100)
    assert (seen['transfers_total{result="completed"}'], seen['transfers_total{result="failed"}']) == (1, 0)
    assert seen["transfer_duration_seconds_count"] == seen["time_to_first_byte_seconds_count"] == 1
    assert 0 < seen["time_to_first_byte_seconds_sum"] <= seen["transfer_duration_seconds_sum"]


def test_bytes_are_counted_once_however_many_receive_them(private: StartServer, name: str) -> None:
    clients = private().clients
    sender = clients.raw(request("PUT", f"/{name}?n=3&sha256", body=b"x" * 10))
    for _ in range(3):
        clients.raw(request("GET", f"/{name}?n=3"))
    assert sender.answer().lines[-1] == lines.COMPLETE
    seen = figures(clients)
    assert (seen["transferred_bytes_total"], seen["hashed_bytes_total"]) == (10, 10)
    assert status(clients, name)["bytesTransferred"] == 10


def test_metrics_never_show_a_name_or_an_address(clients: Clients, name: str) -> None:
    clients.raw(request("PUT", f"/{name}", body=b"")).head()
    text = clients.raw(request("GET", PREFIX + "/metrics")).answer().body.decode()
    assert name not in text
    assert "127.0.0.1" not in text


# Z.8: the access log


def logged(private: StartServer, name: str, *flags: str) -> list[dict[str, object]]:
    """What is logged, as JSON, of one success, one refusal and one failure on a name."""
    return [json.loads(line) for line in log_lines(private, name, "--log-format", "json", *flags)]


def log_lines(private: StartServer, name: str, *flags: str) -> list[str]:
    """The same, as it was written."""
    server = private(*flags)
    clients = server.clients
    sender = clients.raw(request("PUT", f"/{name}", body=b"12345"))
    assert clients.raw(request("GET", f"/{name}")).answer().body == b"12345"
    assert sender.answer().lines[-1] == lines.COMPLETE
    waiting = clients.raw(request("PUT", f"/{name}", body=b""))
    waiting.head()
    assert clients.raw(request("PUT", f"/{name}", body=b"")).answer().status == 400
    waiting.close()
    assert eventually(lambda: status(clients, name)["state"] == "failed")
    server.process.terminate()
    server.process.wait(10)
    return server.err.until_end().decode().splitlines()


KEYS = ["time", "event", "name", "role", "peer", "n", "bytes", "duration", "outcome", "reason"]


def test_the_access_log_has_one_line_for_every_finished_party(private: StartServer, name: str) -> None:
    entries = logged(private, name, "--access-log", "all")
    assert all(list(entry) == KEYS for entry in entries)
    told = [(entry["role"], entry["bytes"], entry["outcome"]) for entry in entries]
    assert told == [
        ("receiver", 5, "complete"),
        ("sender", 5, "complete"),
        ("sender", 0, "refused"),
        ("sender", 0, "failed"),
    ]
    assert all(entry["peer"] == "127.0.0.1" and entry["n"] == 1 for entry in entries)
    written = datetime.fromisoformat(str(entries[0]["time"]).replace("Z", "+00:00")).timestamp()
    assert abs(written - time.time()) < 60


def test_the_text_has_the_same_fields(private: StartServer, name: str) -> None:
    digest = hashlib.sha256(f"/{name}".encode()).hexdigest()[:8]
    failure = rf"WARNING sender event=left name={digest} role=sender peer=127\.0\.0\.1 n=1 bytes=0 duration=[0-9.]+"
    success = (
        rf"INFO receiver event=delivered name={digest} role=receiver peer=127\.0\.0\.1 n=1 bytes=5 duration=[0-9.]+"
    )
    found = log_lines(private, name, "--access-log", "all")
    assert len(found) == 4
    assert re.fullmatch(rf"[-0-9]+ [0-9:,]+ {success} outcome=complete", found[0]), found[0]
    assert re.fullmatch(rf"[-0-9]+ [0-9:,]+ {failure} outcome=failed reason=Disconnected", found[3]), found[3]


def test_a_party_whose_id_is_in_use_is_logged_too(private: StartServer, name: str) -> None:
    server = private("--log-format", "json")
    for _ in range(2):
        answer = server.clients.raw(request("PUT", f"/{name}?transfer=id-of-{name}", body=b"")).head()
    assert answer.status == 409
    assert '"outcome": "refused", "reason": "Transfer id already in use."' in server.err.until("refused").decode()


def test_by_default_only_what_did_not_succeed_is_logged(private: StartServer, name: str) -> None:
    assert [entry["outcome"] for entry in logged(private, name)] == ["refused", "failed"]
    assert logged(private, name, "--access-log", "none") == []


def test_no_log_line_shows_a_name(private: StartServer, name: str) -> None:
    entries = logged(private, name, "--access-log", "all", "--log-level", "debug")
    assert name not in json.dumps(entries)
    refused = next(entry for entry in entries if entry.get("outcome") == "refused")
    assert refused["reason"] == f"Path '{refused['name']}' already has a sender connected."
    messages = [str(entry["message"]) for entry in entries if entry["event"] == "log"]
    assert f"{refused['name']} SenderArrived -> Tell, Arm" in messages
    assert any(re.fullmatch(rf"{refused['name']} PartyLeft -> Conclude, Forget", message) for message in messages)
    assert name not in "".join(log_lines(private, name, "--access-log", "all", "--log-level", "debug"))


def test_a_log_that_nobody_reads_stops_nobody(private: StartServer, name: str) -> None:
    """Standard error is a pipe that is full: lines wait, then are dropped."""
    server = private("--log-level", "debug", stalled_log=True)
    for _ in range(20):
        answer = server.clients.raw(request("PUT", f"/{name}?n=2", body=b""))
        answer.head()
        for _ in range(10):
            assert server.clients.raw(request("PUT", f"/{name}?n=2", body=b"")).answer().status == 400
        answer.close()
        assert eventually(lambda: status(server.clients, name)["state"] == "failed")
