"""The job: a real database crosses from one curl to another."""

import secrets
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from job.conftest import Cluster

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
LIMIT = 100  # seconds
CURL = "curl -q -sS -f --noproxy '*'"
Recipe = Callable[[Cluster, str, str, str], tuple[str, str]]


@pytest.fixture
def target(cluster: Cluster) -> Iterator[list[str]]:
    """Three empty databases."""
    names = [f"target_{secrets.token_hex(4)}" for _ in range(3)]
    for name in names:
        cluster.run("createdb", name)
    yield names
    for name in names:
        cluster.run("dropdb", "--force", name)


def contents(cluster: Cluster, database: str) -> dict[str, str]:
    """Every table with the number of its rows and a digest over all of them, in order."""
    found = {}
    for table in cluster.sql(database, TABLES).split():
        query = f"SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY t::text COLLATE \"C\")) FROM {table} AS t"
        found[table] = cluster.sql(database, query).strip()
    return found


def start(cluster: Cluster, pipeline: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", pipeline],
        env=cluster.environment,
        cwd=cluster.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finish(*processes: subprocess.Popen[bytes]) -> list[int]:
    codes = []
    for process in processes:
        out, err = process.communicate(timeout=LIMIT)
        codes.append(process.returncode)
        if process.returncode:
            print(out.decode(), err.decode())
    return codes


def plain(cluster: Cluster, url: str, source: str, target: str) -> tuple[str, str]:
    pipe = f"{shlex.quote(url)}/api/v1/pipe/{secrets.token_hex(8)}"
    restore = cluster.shell("psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", target)
    return (
        f"{cluster.shell('pg_dump', source)} | gzip -1 | {CURL} -T - {pipe}",
        f"{CURL} {pipe} | gunzip | {restore}",
    )


def custom(cluster: Cluster, url: str, source: str, target: str) -> tuple[str, str]:
    pipe = f"{shlex.quote(url)}/api/v1/pipe/{secrets.token_hex(8)}"
    restore = cluster.shell("pg_restore", "-1", "-e", "-d", target)
    return f"{cluster.shell('pg_dump', '-Fc', source)} | {CURL} -T - {pipe}", f"{CURL} {pipe} | {restore}"


@pytest.mark.parametrize("receiver_first", [True, False])
@pytest.mark.parametrize("recipe", [plain, custom])
def test_a_database_crosses_whole(
    cluster: Cluster, source: str, target: list[str], url: str, recipe: Recipe, receiver_first: bool
) -> None:
    send, receive = recipe(cluster, url, source, target[0])
    order = [receive, send] if receiver_first else [send, receive]
    assert finish(*[start(cluster, pipeline) for pipeline in order]) == [0, 0]
    there = contents(cluster, target[0])
    assert set(there) == {"awkward", "pgbench_accounts", "pgbench_branches", "pgbench_history", "pgbench_tellers"}
    assert there == contents(cluster, source)


def test_a_database_crosses_to_three_at_once(cluster: Cluster, source: str, target: list[str], url: str) -> None:
    pipe = f"'{url}/api/v1/pipe/{secrets.token_hex(8)}?n=3'"
    dump = cluster.shell("pg_dump", "-Fc", source)
    receivers = [
        start(cluster, f"{CURL} {pipe} | {cluster.shell('pg_restore', '-1', '-e', '-d', name)}") for name in target
    ]
    sender = start(cluster, f"{dump} | {CURL} -T - {pipe}")
    assert finish(sender, *receivers) == [0, 0, 0, 0]
    wanted = contents(cluster, source)
    assert [contents(cluster, name) for name in target] == [wanted] * 3


def test_a_dump_whose_sender_dies_leaves_the_target_empty(
    cluster: Cluster, source: str, target: list[str], url: str
) -> None:
    pipe = f"{url}/api/v1/pipe/{secrets.token_hex(8)}"
    receive = start(cluster, f"{CURL} {pipe} | {cluster.shell('pg_restore', '-1', '-e', '-d', target[0])}")
    dump = subprocess.run(cluster.command("pg_dump", "-Fc", source), env=cluster.environment, capture_output=True)
    sender = subprocess.Popen(
        ["curl", "-q", "-sS", "--noproxy", "*", "-T", ".", pipe], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert sender.stdin is not None
    sender.stdin.write(dump.stdout[: len(dump.stdout) * 2 // 3])
    sender.stdin.flush()
    sender.send_signal(signal.SIGKILL)
    sender.wait(LIMIT)
    sender.stdin.close()
    assert finish(receive) != [0]
    assert contents(cluster, target[0]) == {}
