"""A real PostgreSQL in a temporary folder, and a server to move it through."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackbox.harness import Server


class Cluster:
    """A PostgreSQL cluster that listens on a socket in its own folder only."""

    def __init__(self, binaries: Path, folder: Path, user: str | None) -> None:
        self.folder = folder
        self._binaries = binaries
        self._user = user

    def command(self, program: str, *arguments: str) -> list[str]:
        """The words that run one of PostgreSQL's programs, as the user who owns the cluster."""
        words = [str(self._binaries / program), *arguments]
        return (
            ["setpriv", "--reuid", self._user, "--regid", self._user, "--clear-groups", *words] if self._user else words
        )

    def run(self, program: str, *arguments: str, stdin: str | None = None) -> str:
        """Run one of PostgreSQL's programs; what it printed."""
        done = subprocess.run(
            self.command(program, *arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=100,
            env=self.environment,
            cwd=self.folder,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """Where its programs find it."""
        return {
            **os.environ,
            "PGHOST": str(self.folder),
            "PGUSER": "owner",
            "PGDATABASE": "postgres",
            "LC_ALL": "C.UTF-8",
        }

    def sql(self, database: str, text: str) -> str:
        """Run SQL; its rows without decoration."""
        return self.run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-", stdin=text)

    def shell(self, program: str, *arguments: str) -> str:
        """The same command for a shell pipeline."""
        return " ".join(self.command(program, *arguments))


def find_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A fresh cluster; as root it runs as nobody, since PostgreSQL refuses root."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed (Debian: util-linux)")
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    cluster = Cluster(binaries, folder, str(pwd.getpwnam(user).pw_uid) if user else None)
    try:
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        data = str(folder / "data")
        cluster.run("initdb", "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        log = str(folder / "log")
        cluster.run("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
        try:
            yield cluster
        finally:
            cluster.run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def source(cluster: Cluster) -> str:
    """A database made by pgbench, and a table of awkward rows."""
    cluster.run("createdb", "source")
    cluster.run("pgbench", "-i", "-q", "-s", "5", "source")
    cluster.sql("source", (Path(__file__).parent / "awkward.sql").read_text())
    return "source"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of our own."""
    server = Server().listening()
    yield server.url
    server.close()
    assert "Traceback" not in server.log, server.log
