"""The doctor finds what a proxy does wrong, and nothing else; each case is a real proxy."""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from blackbox.harness import Server, eventually
from blackbox.test_pages import figures
from proxies.cases import CASES, Case
from proxies.routes import ROUTES, nginx

DOCTOR = [sys.executable, "-m", "hoody_pipe.cli", "doctor"]
AT_ONCE = 6  # doctors; they wait most of the time


@dataclass(frozen=True)
class Report:
    """What a doctor said, finding by finding."""

    code: int
    findings: list[dict[str, str | dict[str, str]]]
    err: str

    def of(self, verdict: str) -> list[dict[str, str | dict[str, str]]]:
        return [finding for finding in self.findings if finding["verdict"] == verdict]


def ask(url: str, *options: str) -> Report:
    """Run a doctor."""
    done = subprocess.run([*DOCTOR, url, "-k", "--json", *options], capture_output=True, text=True, timeout=100)
    return Report(done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr)


def examine(case: Case) -> Report:
    """Run a doctor in front of a proxy of its own."""
    with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
        server = Server("--heartbeat", "0.3").listening()
        proxy = case.make(Path(folder), server)
        try:
            return ask(proxy.clients.url + case.path, f"--patience={case.patience}")
        finally:
            server.close()
            proxy.close()


@pytest.fixture(scope="module")
def reports() -> Iterator[dict[str, Future[Report]]]:
    """All cases, several at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(examine, case) for name, case in CASES.items() if shutil.which(case.program)}


@pytest.mark.parametrize("name", CASES)
def test_the_doctor_finds_what_is_wrong_and_the_line_that_mends_it(
    reports: dict[str, Future[Report]], name: str
) -> None:
    """And nothing else; a proxy that says its name gets only its own line."""
    case = CASES[name]
    if name not in reports:
        pytest.skip(f"no {case.program} here")
    report = reports[name].result(90)
    assert report.err == ""
    assert {finding["check"] for finding in report.of("bad")} == {check for check, _ in case.wrong}, report.of("bad")
    assert {finding["check"] for finding in report.of("unknown")} <= set(case.unknown), report.of("unknown")
    assert report.code == (1 if case.wrong else 0)
    for check, line in case.wrong:
        remedies = [finding["remedy"] for finding in report.of("bad") if finding["check"] == check]
        assert any(line in " ".join(remedy.values()) for remedy in remedies if isinstance(remedy, dict)), remedies
        for remedy in remedies:
            assert set(remedy) == ({case.mended_in} if case.mended_in else {"nginx", "HAProxy", "Caddy"})


def test_the_doctor_finds_nothing_wrong_where_there_is_no_proxy(server: Server) -> None:
    report = ask(server.url, "--patience=1", "--size=1.5")
    assert [finding["verdict"] for finding in report.findings] == ["ok"] * 17, report.findings
    assert (report.code, report.err) == (0, "")


@pytest.mark.needs("nginx")
def test_the_doctor_says_it_in_words_and_the_verdict_last(server: Server, tmp_path: Path) -> None:
    """Each finding is a line, and under it stands the line that mends it."""
    proxy = CASES["nginx limits the size"].make(tmp_path, server)
    done = subprocess.run([*DOCTOR, proxy.clients.url, "--patience=0"], capture_output=True, text=True, timeout=60)
    proxy.close()
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"ok   a hoody-pipe answers over HTTP/1\.1, through nginx/[\d.]+", lines[0])
    at = lines.index("BAD  an upload that announces a petabyte is refused: 413")
    assert lines[at + 1] == "       nginx: client_max_body_size 0;"
    assert "-    how much silence is borne" in lines
    assert re.fullmatch(r"2 things are wrong(, 1 could not be found out)?; mend that and ask again\.", lines[-1])
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:1", "cannot connect to 127.0.0.1:1: Connection refused"),
        ("nonsense", "'nonsense' is no URL of a server"),
        ("http://[::1", "'http://[::1' is no URL"),
        ("http://127.0.0.1:99999", "is no URL: Port out of range"),
        ("http://user@127.0.0.1/", "must be a plain URL"),
        ("http://127.0.0.1/?q", "must be a plain URL"),
        ("{server}/api/v1/pipe/x?y", "must be a plain URL"),
        ("https{rest}", "no TLS with 127.0.0.1:"),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_exit_code_2(server: Server, url: str, said: str) -> None:
    report = ask(url.format(server=server.url, rest=server.url.removeprefix("http")))
    assert (report.code, report.findings) == (2, [])
    assert report.err.startswith("hoody-pipe: ")
    assert said in report.err
    assert report.err.count("\n") == 1


@pytest.mark.needs("nginx")
@pytest.mark.parametrize(
    ("site", "said"),
    [
        ("return 404;", "is no hoody-pipe: its health page answers 404"),
        ("return 302 https://elsewhere.example/;", "redirects to https://elsewhere.example/: ask there"),
        ("return 444;", "breaks off instead of answering"),
        ("default_type application/json; return 200 '[1]';", "is no hoody-pipe: its health page answers 200"),
    ],
)
def test_a_server_that_is_no_hoody_pipe_is_said_to_be_none(
    server: Server, tmp_path: Path, site: str, said: str
) -> None:
    proxy = nginx(tmp_path, server, f"server {{ listen 80; location / {{ {site} }} }}")
    report = ask(proxy.clients.url)
    proxy.close()
    assert report.code == 2
    assert said in report.err


@pytest.mark.needs("haproxy")
def test_a_certificate_that_nobody_trusts_is_taken_only_when_asked_to(server: Server, tmp_path: Path) -> None:
    proxy = ROUTES["haproxy-h2"](tmp_path, server)
    done = subprocess.run([*DOCTOR, proxy.clients.url], capture_output=True, text=True, timeout=60)
    proxy.close()
    assert (done.returncode, done.stdout) == (2, "")
    assert "the certificate is not trusted (self-signed certificate); --insecure takes it" in done.stderr


def pipes(server: Server) -> float:
    """How many names are in use."""
    return sum(value for name, value in figures(server.clients).items() if name.startswith("pipes_active"))


def test_an_interrupted_doctor_leaves_nothing_behind(server: Server) -> None:
    doctor = subprocess.Popen([*DOCTOR, server.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert eventually(lambda: pipes(server) > 3)
    doctor.send_signal(signal.SIGINT)
    _, err = doctor.communicate(timeout=10)
    assert (doctor.returncode, err) == (130, b"\n")
    assert eventually(lambda: pipes(server) == 0, 1.0)
