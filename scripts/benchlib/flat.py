"""Does memory stay flat and the disk untouched while much goes through and a receiver stands still?"""

import subprocess
import time
from typing import Any

from benchlib.loader import Loader, parse, shape
from benchlib.relay import BrokenRun, Relay
from benchlib.works import GB, MB, Work

HEADINGS = ("20 GB through one pipe", "before", "most", "move", "goal", "", "to disk", "goal", "", "seconds")
ALLOWED = 8 * MB


def works(quick: bool) -> list[Work]:
    size = 2 * GB if quick else 20 * GB
    return [Work("cl", "Content-Length", "stream", size), Work("chunked", "chunked, 64 KiB", "stream", size, 65536)]


def watch(work: Work, relay: Relay, loader: Loader, stall: float) -> dict[str, Any]:
    """One transfer through a fresh relay; its receiver does not read for `stall` seconds half way.

    The move counts from before the transfer, so whatever a first transfer sets up is part of it.
    """
    relay.restart()
    before, disk = relay.settled_rss(), relay.written()
    relay.forget_peak()
    limit = int(stall) + 300
    target = loader.target(relay)
    command = loader.command("stream", "-t", limit, *target, *shape(work), "-s", work.size // 2, "-S", stall)
    samples = []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            while process.poll() is None:
                samples.append(relay.status("VmRSS"))
                time.sleep(0.05)
            figures = parse(process.stdout.read() if process.stdout else b"")
        finally:
            process.kill()
    if figures["seconds"] < stall:
        raise BrokenRun("the receiver did not stand still")
    most = max(*samples, relay.status("VmHWM"))
    return {
        "bytes": figures["bytes"],
        "seconds": figures["seconds"],
        "stall": stall,
        "before": before,
        "most": most,
        "move": most - before,
        "written": relay.written() - disk,
        "samples": samples[:: max(1, len(samples) // 200)],
        "met": most - before < ALLOWED and relay.written() == disk,
    }


def cells(work: Work, seen: dict[str, Any]) -> list[str]:
    """One line of the table."""
    flat, clean = seen["move"] < ALLOWED, seen["written"] == 0
    return [
        f"{work.title}, {seen['bytes'] / GB:.0f} GB, stands still for {seen['stall']:g} s",
        f"{seen['before'] / MB:.1f} MB",
        f"{seen['most'] / MB:.1f} MB",
        f"{seen['move'] / MB:.1f} MB",
        f"< {ALLOWED // MB} MB",
        "met" if flat else "MISSED",
        f"{seen['written']} B",
        "0 B",
        "met" if clean else "MISSED",
        f"{seen['seconds']:.1f}",
    ]
