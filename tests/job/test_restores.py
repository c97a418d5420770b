"""Restores that cannot half-commit: the recipes of /help and their kin, cut at many points (protocol Z.2)."""

import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from blackbox.harness import Clients, eventually
from blackbox.rawhttp import chunked, request
from hoody_pipe.pages import help as cheat_sheet
from job.conftest import Cluster

SPREAD, ENDS = 18, 6  # cut points: over everything, and where a cut looks most like an end
LIMIT = 60  # seconds
PROGRAMS = ("pg_dump", "pg_restore", "psql", "createdb")
OBJECTS = " + ".join(
    f"(SELECT count(*) FROM {catalog} WHERE oid >= 16384)"
    for catalog in ("pg_class", "pg_proc", "pg_type", "pg_namespace", "pg_largeobject_metadata")
)
TABLES = ("words", "accounts", "bookings")
DANGEROUS = (
    "pg_dump mydb | zstd | curl -fT - URL",
    "curl -f URL | zstd -d | psql -Xq -1 -v ON_ERROR_STOP=1 -d mydb",
)


@dataclass(frozen=True)
class Recipe:
    """What both sides type; what the sender's line gives to curl is the stream."""

    send: str
    receive: str

    @property
    def producer(self) -> str:
        """The line without its curl."""
        return self.send.rpartition("|")[0]

    def through(self, pack: str, unpack: str) -> "Recipe":
        """The same recipe with another compressor, or one where there was none."""
        producer = self.producer.removesuffix("| zstd ") + f"| {pack} "
        receive = self.receive.replace(" zstd -d |", "").replace("URL |", f"URL | {unpack} |")
        return Recipe(f"{producer}| curl -fT - URL", receive)


def of_the_help() -> list[Recipe]:
    """Every block in the section on databases: the sender's line, then the receiver's."""
    text = cheat_sheet.render("0", "BASE").replace("BASE/mypath", "URL")
    section = text.partition("= Databases =")[2].partition("\n=====")[0]
    blocks = [re.findall(r"^(?!#|set |=).+$", block, re.MULTILINE) for block in section.split("\n\n")]
    return [Recipe(send, "\n".join(receive)) for send, *receive in blocks if receive]


CUSTOM, SQL = of_the_help()
RECIPES = {
    "custom": CUSTOM,
    "custom, gzip": CUSTOM.through("gzip", "gunzip"),
    "custom, zstd": CUSTOM.through("zstd", "zstd -d"),
    "sql, gzip": SQL.through("gzip", "gunzip"),
    "sql, zstd": SQL,
}


def functions(cluster: Cluster, database: str) -> str:
    """Shell in which the recipes' programs are those under test, and mydb is this database."""
    programs = [f'{name}() {{ {cluster.shell(name)} "${{@//mydb/{database}}}"; }};' for name in PROGRAMS]
    return "".join(programs) + "curl() { command curl -q -sSN --noproxy '*' \"$@\"; };"


def start(cluster: Cluster, script: str) -> subprocess.Popen[bytes]:
    """A script in the background, with pipefail; what it prints can be read."""
    return subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", script],
        env=cluster.environment,
        cwd=cluster.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


class Restores:
    """One source, and a target that is made anew for every restore."""

    def __init__(self, cluster: Cluster, clients: Clients, folder: Path) -> None:
        self._cluster = cluster
        self._clients = clients
        self._folder = folder
        self._source, self._target = (f"db_{secrets.token_hex(4)}" for _ in range(2))
        self._has_target = False  # an empty one is left
        self._make(self._source)
        cluster.sql(self._source, (Path(__file__).parent / "treacherous.sql").read_text())
        self._wanted = self._contents(self._source)

    def close(self) -> None:
        """Drop both."""
        self._drop(self._source, self._target)

    def output(self, line: str, replaced: str = "") -> bytes:
        """What the left part of a pipeline gives to the next program; `replaced` are functions instead of programs."""
        script = functions(self._cluster, self._source) + replaced + line
        return subprocess.run(
            ["bash", "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._cluster.environment,
            timeout=LIMIT,
            check=False,
        ).stdout

    def dies_after(self, size: int, dump: Path) -> str:
        """A pg_dump that is killed when it has written so much."""
        return f"pg_dump() {{ bash -c 'head -c {size} {shlex.quote(str(dump))}; kill -9 $$'; }};"

    def dump(self, recipe: Recipe) -> Path:
        """A file with what pg_dump writes in this recipe."""
        command = re.search(r"pg_dump[^|&]*", recipe.send)
        assert command is not None
        path = self._folder / secrets.token_hex(4)
        path.write_bytes(self.output(command[0]))
        return path

    def restore(self, recipe: Recipe, stream: bytes, is_whole: bool) -> tuple[int, str]:
        """Send a stream that ends in good order or is cut, and restore it; the exit code, and what is there then."""
        name = secrets.token_hex(8)
        script = functions(self._cluster, self._target) + recipe.receive.replace(
            "URL", shlex.quote(self._clients.pipe(name))
        )
        makes_its_own = "createdb" in recipe.receive
        if not makes_its_own and not self._has_target:
            self._make(self._target)
        receiver = start(self._cluster, script)
        sender = self._clients.raw(request("PUT", f"/{name}", "Transfer-Encoding: chunked"))
        sender.until(b"Streaming")
        pieces = [stream[start : start + 60_000] for start in range(0, len(stream), 60_000)]
        sender.offer(chunked(*pieces, end=is_whole))
        if not is_whole:
            sender.close()
        printed, _ = receiver.communicate(timeout=LIMIT)
        sender.close()
        found = self._look()
        self._has_target = found == "untouched" and not makes_its_own
        if not self._has_target:
            self._drop(self._target, self._target + "_new")
        assert receiver.returncode != 0 or found == "complete", (found, printed)
        return receiver.returncode, found

    def _look(self) -> str:
        there = f"SELECT count(*) FROM pg_database WHERE datname = '{self._target}'"
        if self._cluster.sql("postgres", there).strip() == "0":
            return "untouched"
        if self._cluster.sql(self._target, f"SELECT {OBJECTS}").strip() == "0":
            return "untouched"
        return "complete" if self._contents(self._target) == self._wanted else "HALF"

    def _contents(self, database: str) -> str:
        """All rows, how many objects there are, and the large object."""
        if self._cluster.sql(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").strip() != "3":
            return "some tables"
        digests = [f"(SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} AS t)" for table in TABLES]
        large = "(SELECT string_agg(md5(lo_get(oid)), ',') FROM pg_largeobject_metadata)"
        return self._cluster.sql(database, f"SELECT {OBJECTS}, {large}, {', '.join(digests)}")

    def _make(self, name: str) -> None:
        self._cluster.run("createdb", "-T", "template0", name)

    def _drop(self, *names: str) -> None:
        for name in names:
            self._cluster.run("dropdb", "--force", "--if-exists", name)


@pytest.fixture(autouse=True)
def compressor() -> None:
    """The recipes use one."""
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed (Debian: zstd)")


@pytest.fixture
def restores(cluster: Cluster, url: str, tmp_path: Path) -> Iterator[Restores]:
    """A source and a target."""
    clients = Clients(url)
    restores = Restores(cluster, clients, tmp_path)
    yield restores
    restores.close()
    clients.close()


def cut_points(data: bytes) -> list[int]:
    """Spread over everything, its very end, and where a cut looks most like an end."""
    size = len(data)
    ends = [found.end() for found in re.finditer(rb"\n\\\.\n|complete\n|COMMIT;\n|COMMIT", data)][-ENDS:]
    last = [size - left for left in (1, 2, 9, 20)]
    return sorted({*(size * number // SPREAD for number in range(SPREAD)), *ends, *last})


def summed_up(found: list[tuple[int, str]]) -> str:
    counts = Counter(what for _, what in found)
    return f"{len(found)} cut points: " + ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))


def test_the_readme_shows_the_recipes_of_the_help() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text()
    for recipe in (CUSTOM, SQL):
        for shown in (recipe.send, recipe.receive):
            assert all(line.replace("URL", "$URL/mydump") in text for line in shown.splitlines())


@pytest.mark.parametrize("kind", RECIPES)
def test_a_stream_cut_anywhere_leaves_the_database_complete_or_untouched(restores: Restores, kind: str) -> None:
    """The sender's connection breaks after so many bytes of what curl was given."""
    recipe = RECIPES[kind]
    stream = restores.output(recipe.producer)
    assert restores.restore(recipe, stream, is_whole=True) == (0, "complete")
    found = [restores.restore(recipe, stream[:cut], is_whole=False) for cut in cut_points(stream)]
    print(f"{kind}, stream cut: {summed_up(found)}")
    assert len(found) >= 20
    assert "HALF" not in [what for _, what in found]
    assert 0 not in [code for code, _ in found]


@pytest.mark.parametrize("kind", RECIPES)
def test_a_producer_killed_anywhere_leaves_the_database_complete_or_untouched(restores: Restores, kind: str) -> None:
    """pg_dump is killed after so many bytes; what stands behind it, curl included, ends in good order."""
    recipe = RECIPES[kind]
    dump = restores.dump(recipe)
    found = []
    for cut in cut_points(dump.read_bytes()):
        stream = restores.output(recipe.producer, restores.dies_after(cut, dump))
        found.append(restores.restore(recipe, stream, is_whole=True))
    print(f"{kind}, producer killed: {summed_up(found)}")
    assert len(found) >= 20
    assert "HALF" not in [what for _, what in found]


def test_without_a_marker_behind_the_dump_a_part_of_it_is_kept(restores: Restores) -> None:
    """What the recipes are for: psql -1 commits what came before the end of its input."""
    recipe = Recipe(*DANGEROUS)
    dump = restores.dump(recipe)
    cut = len(dump.read_bytes()) // 2
    stream = restores.output(recipe.producer, restores.dies_after(cut, dump))
    with pytest.raises(AssertionError):  # and its exit code is 0
        restores.restore(recipe, stream, is_whole=True)


@pytest.mark.parametrize("kind", ["custom, gzip", "sql, zstd"])
def test_a_real_pg_dump_killed_behind_a_compressor_restores_nothing(
    cluster: Cluster, source: str, url: str, tmp_path: Path, kind: str
) -> None:
    """It stands still in the middle of a table while its sender waits; then it is killed, and a receiver comes."""
    recipe, target = RECIPES[kind], f"db_{secrets.token_hex(4)}"
    pipe, pid = shlex.quote(f"{url}/api/v1/pipe/{target}"), tmp_path / "pid"
    command = f'{cluster.shell("pg_dump")} "${{@//mydb/{source}}}"'
    named = f'pg_dump() {{ bash -c \'echo $$ >"$0"; exec "$@"\' {shlex.quote(str(pid))} {command}; }};'
    sender = start(cluster, functions(cluster, source) + named + recipe.send.replace("URL", pipe))
    assert eventually(lambda: pid.exists() and pid.read_text().strip() != "")
    assert eventually(lambda: stands_still(int(pid.read_text())))
    os.kill(int(pid.read_text()), signal.SIGKILL)
    if "createdb" not in recipe.receive:
        cluster.run("createdb", "-T", "template0", target)
    receiver = start(cluster, functions(cluster, target) + recipe.receive.replace("URL", pipe))
    for process in (sender, receiver):
        printed, _ = process.communicate(timeout=LIMIT)
        assert process.returncode != 0, printed
    if "createdb" in recipe.receive:
        assert cluster.sql("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{target}'") == ""
    else:
        assert cluster.sql(target, f"SELECT {OBJECTS}").strip() == "0"
    for name in (target, target + "_new"):
        cluster.run("dropdb", "--force", "--if-exists", name)


def stands_still(pid: int) -> bool:
    """Whether a process writes nothing more for a while, although it is not at its end."""

    def written() -> str:
        return Path(f"/proc/{pid}/io").read_text().partition("wchar: ")[2].partition("\n")[0]

    before = written()
    return int(before) > 1_000_000 and not eventually(lambda: written() != before, 0.3)
