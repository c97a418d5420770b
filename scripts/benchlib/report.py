"""Verdicts, the table for people, the file for programs."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchlib.rounds import Tally
from benchlib.works import Work

HEADINGS = ("work", "ours", "peer", "ratio", "goal", "", "CPU ours", "CPU peer", "ratio", "goal", "", "loader")
METHOD = (
    "alternating rounds, medians; both relays in the same run; sending by sendfile from memory, receiving by "
    "recv(MSG_TRUNC), byte counts checked in every round and every byte compared in a run before them; GB = 10^9 "
    "bytes; CPU is user plus system time of the relay, all threads; loader is the load generator's own CPU as a "
    "share of one core, near 100 % it would be the limit"
)


@dataclass(frozen=True)
class Verdict:
    """A ratio to the peer, what was wanted of it, and whether that holds; None where it cannot be said."""

    ratio: float | None = None
    goal: str = ""
    met: bool | None = None


def _ratio(ours: float | None, peer: float | None) -> float | None:
    return ours / peer if ours is not None and peer else None


def rate_verdict(work: Work, ours: Tally, peer: Tally | None) -> Verdict:
    """A memory goal is ours alone; a rate goal is met as well by a peer that fails where ours does not."""
    if work.memory_at_most is not None:
        met = ours.rate is not None and ours.rate <= work.memory_at_most
        return Verdict(_ratio(ours.rate, peer.rate if peer else None), f"≤ {work.memory_at_most:g} {work.unit}", met)
    ratio = _ratio(ours.rate, peer.rate if peer else None)
    goal = f"≥ {work.at_least:g}x" if work.at_least is not None else ""
    if ours.rate is None:
        return Verdict(None, goal, False)
    if ratio is None or work.at_least is None:
        return Verdict(ratio, goal, True if peer and peer.error else None)
    return Verdict(ratio, goal, ratio >= work.at_least)


def cpu_verdict(work: Work, ours: Tally, peer: Tally | None) -> Verdict:
    ratio = _ratio(ours.cpu_each, peer.cpu_each if peer else None)
    if work.cpu_at_most is None:
        return Verdict(ratio)
    met = None if ratio is None else ratio <= work.cpu_at_most
    return Verdict(ratio, f"≤ {work.cpu_at_most:g}x", met)


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    digits = 0 if value >= 1000 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def _told(tally: Tally | None, unit: str) -> str:
    if tally is None:
        return "-"
    return f"error: {tally.error[:120].strip()}" if tally.error else _number(tally.rate, unit)


def _cells(verdict: Verdict) -> list[str]:
    ratio = "-" if verdict.ratio is None else f"{verdict.ratio:.2f}"
    return [ratio, verdict.goal, {True: "met", False: "MISSED", None: ""}[verdict.met]]


def row(work: Work, ours: Tally, peer: Tally | None) -> str:
    """One markdown line."""
    cpu = [_number(ours.cpu_each, work.cpu_unit), _number(peer.cpu_each if peer else None, work.cpu_unit)]
    busy = f"{sorted(ours.loader)[len(ours.loader) // 2]:.0%}" if ours.loader else ""
    cells = [work.title, _told(ours, work.unit), _told(peer, work.unit), *_cells(rate_verdict(work, ours, peer))]
    cells += [*cpu, *_cells(cpu_verdict(work, ours, peer)), busy] if ours.cpu or ours.error else [""] * 6
    return line([cell.replace("|", "/") for cell in cells])


def line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def heading(cells: tuple[str, ...] = HEADINGS) -> str:
    return f"{line(cells)}\n|{'---|' * len(cells)}"


def entry(work: Work, ours: Tally, peer: Tally | None) -> dict[str, Any]:
    """One work for the file: every round, the medians, the verdicts."""

    def side(tally: Tally) -> dict[str, Any]:
        return {
            "median": tally.rate,
            "cpu_median": tally.cpu_each,
            "rounds": tally.rates,
            "cpu_rounds": tally.cpu,
            "loader_share": tally.loader,
            "framing": sorted(tally.framing),
            "error": tally.error,
        }

    return {
        **asdict(work),
        "unit": work.unit,
        "cpu_unit": work.cpu_unit,
        "ours": side(ours),
        "peer": side(peer) if peer else None,
        "rate": asdict(rate_verdict(work, ours, peer)),
        "cpu": asdict(cpu_verdict(work, ours, peer)),
    }


def save(path: Path, section: str, content: dict[str, Any]) -> None:
    """Replaces one section of the results file, each of which says for itself when and where it was taken."""
    try:
        results = json.loads(path.read_text())
    except (OSError, ValueError):
        results = {}
    results[section] = content
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
