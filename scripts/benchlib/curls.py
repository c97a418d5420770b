"""Two real curls: one uploads a file or its stdin, the other downloads to nowhere."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchlib.loader import TIMEOUT
from benchlib.relay import BrokenRun, Relay
from benchlib.works import MB

_QUIET = ["curl", "-q", "-sS", "--noproxy", "*", "--fail-with-body"]


@contextmanager
def source(size: int, folder: Path) -> Iterator[Path]:
    """A file to upload, in memory where there is room, gone afterwards."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > 2 * size
    piece = os.urandom(MB)
    with tempfile.NamedTemporaryFile(dir=shared if roomy else folder, prefix="hoody-bench-") as file:
        for left in range(size, 0, -MB):
            file.write(piece[: min(left, MB)])
        file.flush()
        yield Path(file.name)


def transfer(relay: Relay, name: str, file: Path, stdin: bool) -> float:
    """Seconds from the start of the sending curl to the end of both.

    Raises: BrokenRun when a curl fails or the receiver counts other bytes.
    """
    url = f"http://127.0.0.1:{relay.port}/{name}"
    into = [*_QUIET, "-o", "/dev/null", "-w", "%{http_code} %{size_download}", url]
    receiver = subprocess.Popen(into, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    processes = [receiver]
    try:
        with file.open("rb") as body:
            time.sleep(0.1)  # the receiver waits before the clock starts
            began = time.monotonic()
            sender = subprocess.Popen(
                [*_QUIET, "-T", "-" if stdin else str(file), url],
                stdin=body if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            processes.append(sender)
            told = sender.communicate(timeout=TIMEOUT)[0].decode(errors="replace")
            counted = receiver.communicate(timeout=TIMEOUT)[0].decode(errors="replace")
            seconds = time.monotonic() - began
    except subprocess.TimeoutExpired as late:
        raise BrokenRun(f"did not finish in {TIMEOUT} s") from late
    finally:
        for process in processes:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
    if sender.returncode or "[ERROR]" in told:
        raise BrokenRun(f"the sending curl got: {told.strip()[-200:]}")
    if receiver.returncode or counted != f"200 {file.stat().st_size}":
        raise BrokenRun(f"the receiving curl got: {counted.strip()[-200:]}")
    return seconds
