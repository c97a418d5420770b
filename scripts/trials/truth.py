"""The truth matrix: failure x framing x route, and what every surviving curl said (protocol Z.2)."""

import argparse
import json
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from benchlib import peer
from benchlib.relay import Relay

from blackbox.harness import Clients, Server
from proxies.routes import NGINX_DEFAULTS, Proxy, caddy, haproxy, nginx
from trials.failures import ENDS_SERVER, FAILURES, SIZE, Run, code_of

FRAMINGS = ("Content-Length", "chunked", "HTTP/1.0")
WAITING = {"nobody receives", "nobody sends"}  # the peer waits without a limit
LIARS = """
Where it lies, and what sees it:

* HAProxy 2.6 ends a broken stream of unknown length cleanly for clients of HTTP/2. A known length shows it (curl 92 or
  18); so do `?sha256`, a receipt (`?transfer=`) and `?status`, which say `failed`. `alpn http/1.1` mends it.
* Caddy before 2.7.6 ends a broken stream of unknown length cleanly for all clients; a newer one mends it.
* A producer that dies behind curl is only seen by what is in the stream: `pg_restore -1 -e`, zstd's and gzip's own
  checks, or the recipes in the README.
"""
MARKERS = "<!-- truth -->", "<!-- /truth -->"
MEANING = {
    "true": "every exit code says what happened",
    "lie": "a curl exited with 0 although bytes are missing",
    "hang": "a curl was still there after 20 s",
    "stuck": "the name could not be used again within a second",
    "unseen": "the failure never reached a curl: an end-to-end check is needed",
}

Make = Callable[[Path, Server], Proxy]
ROUTES: dict[str, Make | None] = {
    "direct": None,
    "nginx, as shipped": nginx,
    "nginx, defaults": partial(nginx, site=NGINX_DEFAULTS),
    "HAProxy, as shipped": haproxy,
    "HAProxy, HTTP/2 + TLS": partial(haproxy, tls=True),
    "Caddy, as shipped": caddy,
    "Caddy, HTTP/2 + TLS": partial(caddy, tls=True),
    "Caddy 2.6 of Debian 12": partial(caddy, program="caddy"),
}


@dataclass(frozen=True)
class Cell:
    """What came of one transfer; codes are None for a curl that hung, and those of killed curls are left out."""

    relay: str
    failure: str
    framing: str
    route: str
    sender: int | str | None
    receivers: list[int | str | None]
    received: list[int]
    sent: int
    is_free: bool | None
    verdict: str

    @property
    def text(self) -> str:
        """The cell as it stands in a table."""
        sender = "" if self.sender == "-" else f"s{self.sender} "
        got = zip(self.receivers, self.received, strict=True)
        receivers = "/".join(f"r{code}" + self._share(size) for code, size in got if code != "-")
        return f"{sender}{receivers} {'' if self.verdict == 'true' else '**' + self.verdict + '**'}".strip()

    def _share(self, received: int) -> str:
        """How much a receiver got, where that is not everything."""
        return "" if received == self.sent else f" {received / 1e6:.1f}M" if received else " 0"


class PeerServer(Server):
    """A piping-server that looks like one of our own to the clients."""

    def __init__(self, relay: Relay) -> None:
        relay.start()
        self.relay = relay
        self.url = f"http://127.0.0.1:{relay.port}"
        process = relay._process
        assert process is not None
        self.process = process
        self._clients = None

    def close(self) -> None:
        """End it."""
        if self._clients is not None:
            self._clients.close()
        self.relay.stop()


def judge(run: Run, codes: list[int | str | None], sender: int | str | None, is_free: bool | None) -> str:
    """The verdict on one transfer."""
    whole = run.cut or len(run.body)
    complete = [len(receiver.out.data) == whole for receiver in run.receivers]
    if None in codes or sender is None:
        return "hang"
    if run.cut:
        return "unseen" if 0 in codes else "true"
    if any(code == 0 and not done for code, done in zip(codes, complete, strict=True)):
        return "lie"
    if sender == 0 and not (complete and all(complete)):
        return "lie"
    return "stuck" if is_free is False else "true"


def try_again(clients: Clients, name: str) -> bool:
    """Whether the name carries another transfer, a second after the failure at the latest."""
    for _ in range(4):
        receiver = clients.curl("-sf", "--max-time", "3", clients.pipe(name))
        sender = clients.curl("-sfT", "-", "--max-time", "3", clients.pipe(name), stdin=b"again")
        if (code_of(receiver), code_of(sender)) == (0, 0) and receiver.out.until_end() == b"again":
            return True
    return False


def one(relay: str, start: Callable[[], Server], route: str, failure: str, framing: str) -> Cell:
    """Run one transfer and what befalls it."""
    server = start()
    with tempfile.TemporaryDirectory(prefix="route-") as folder:
        make = ROUTES[route]
        proxy = make(Path(folder), server) if make else None
        near = proxy.clients if proxy else server.clients
        run = Run(server, near, "truth-" + secrets.token_hex(4), framing, os.urandom(SIZE))
        try:
            FAILURES[failure](run)
            codes = ["-" if receiver in run.dead else code_of(receiver) for receiver in run.receivers]
            sender = "-" if run.sender is None or run.sender in run.dead else code_of(run.sender)
            is_free = None if failure in ENDS_SERVER else try_again(server.clients, run.name)
            received = [len(receiver.out.data) for receiver in run.receivers]
            verdict = judge(run, codes, sender, is_free)
        except AssertionError as wrong:
            return Cell(relay, failure, framing, route, None, [], [], SIZE, None, f"hang ({str(wrong)[:60]})")
        finally:
            if proxy:
                proxy.close()
            server.close()
    return Cell(relay, failure, framing, route, sender, codes, received, run.cut or len(run.body), is_free, verdict)


def cells(args: argparse.Namespace, root: Path) -> Iterator[Cell]:
    """All that are asked for, a route at a time on every thread."""
    jobs = [
        partial(one, "ours", lambda: Server().listening(), route, failure, framing)
        for route in ROUTES
        for failure in FAILURES
        for framing in FRAMINGS
        if framing in _framings(failure) and _wanted(args.only, route, failure)
    ]
    if args.peer:
        command = peer.install(root / ".bench" / "peer")
        jobs += [
            partial(one, "piping-server", partial(_peer, command, root), "direct", failure, framing)
            for failure in FAILURES
            for framing in FRAMINGS
            if failure not in WAITING and framing in _framings(failure) and _wanted(args.only, failure)
        ]
    with ThreadPoolExecutor(args.jobs) as pool:
        yield from pool.map(lambda job: job(), jobs)


def _peer(command: str, root: Path) -> Server:
    return PeerServer(Relay("peer", command, root / ".bench" / f"peer-{secrets.token_hex(3)}.log"))


def _framings(failure: str) -> tuple[str, ...]:
    return ("chunked",) if failure == "producer behind curl killed" else FRAMINGS


def _wanted(only: str | None, *names: str) -> bool:
    return only is None or any(re.search(only, name) for name in names)


def table(found: list[Cell]) -> list[str]:
    """One row for each failure and framing, one column for each relay and route."""
    columns = list(dict.fromkeys((cell.relay, cell.route) for cell in found))
    rows = list(dict.fromkeys((cell.failure, cell.framing) for cell in found))
    at = {(cell.failure, cell.framing, cell.relay, cell.route): cell.text for cell in found}
    heads = [route if relay == "ours" else relay for relay, route in columns]
    lines = ["| what happens | framing | " + " | ".join(heads) + " |", "|" + "---|" * (len(heads) + 2)]
    for failure, framing in rows:
        texts = [at.get((failure, framing, *column), "") for column in columns]
        lines.append(f"| {failure} | {framing} | " + " | ".join(texts) + " |")
    return lines


def summary(found: list[Cell]) -> list[str]:
    """One row for each relay and route: how many transfers had which verdict."""
    lines = ["| relay | route | transfers | " + " | ".join(MEANING) + " |", "|" + "---|" * (len(MEANING) + 3)]
    for relay, route in dict.fromkeys((cell.relay, cell.route) for cell in found):
        here = [cell.verdict.split(" ")[0] for cell in found if (cell.relay, cell.route) == (relay, route)]
        counts = " | ".join(str(here.count(verdict)) for verdict in MEANING)
        lines.append(f"| {relay} | {route} | {len(here)} | {counts} |")
    return lines


def main(root: Path, argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/truth", description=__doc__)
    parser.add_argument("--only", metavar="REGEX", help="routes or failures that match")
    parser.add_argument("--peer", action="store_true", help="piping-server too, directly")
    parser.add_argument("--jobs", type=int, default=2, help="transfers at the same time (default 2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store every cell")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/truth.md and the README")
    args = parser.parse_args(argv)
    found: list[Cell] = []
    for cell in cells(args, root):
        found.append(cell)
        print(f"{cell.relay}: {cell.route}: {cell.failure}, {cell.framing}: {cell.text}", flush=True)
    print("\n".join(["", *table(found), "", *summary(found)]))
    if args.json:
        args.json.write_text(json.dumps([asdict(cell) for cell in found], indent=1))
    if args.write:
        _write(root, found)
    return 0 if all(cell.verdict in ("true", "unseen") for cell in found if cell.relay == "ours") else 1


def _write(root: Path, found: list[Cell]) -> None:
    meaning = [f"* {word}: {text}" for word, text in MEANING.items()]
    head = [
        "# What each curl says when something breaks",
        "",
        "Written by `scripts/truth --peer --write`.",
        f"{SIZE // 1_000_000} MB each, broken in the middle. `s` and `r` are the exit codes of the curls that send and",
        "receive (with `-f`), and behind them how many megabytes arrived where that is not everything; those that were",
        "killed are left out.",
        "",
        *meaning,
        "",
    ]
    (root / "docs" / "truth.md").write_text("\n".join([*head, *table(found), "", *summary(found), LIARS]))
    readme = root / "README.md"
    before, _, rest = readme.read_text().partition(MARKERS[0])
    _, _, after = rest.partition(MARKERS[1])
    readme.write_text(before + "\n".join([MARKERS[0], *summary(found), MARKERS[1]]) + after)
