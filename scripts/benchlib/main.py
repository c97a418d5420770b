"""scripts/bench: options, preparation, and which of the three measurements is made."""

import argparse
import signal
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from benchlib import costs, flat, machine, netns, peer, report
from benchlib.loader import Loader, shape
from benchlib.relay import BrokenRun, Relay, our_command
from benchlib.rounds import Bench, measure
from benchlib.works import GB, chosen

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench"
RESULTS = FOLDER / "results.json"
EPILOG = (
    "Exit status: 0 all goals met, 1 a goal missed or a run broken, 2 wrong use. Figures go to .bench/results.json."
)


def options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measures this relay beside piping-server.", epilog=EPILOG
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--loader", action="store_true", help="the load generator's own ceiling, without a relay")
    what.add_argument("--flat", action="store_true", help="memory and disk during 20 GB with a stalled receiver")
    what.add_argument("--costs", action="store_true", help="what a digest and a thousand spectators cost")
    parser.add_argument("--quick", action="store_true", help="three rounds and a quarter of the bytes")
    parser.add_argument("--only", metavar="NAME[,NAME]", help="these works only")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds for each work (default 5)")
    parser.add_argument("--no-peer", action="store_true", help="this relay alone")
    parser.add_argument("--stall", type=float, metavar="SECONDS", help="with --flat (default 60, quick 5)")
    parser.add_argument("--no-pin", action="store_true", help="let the load generator use every CPU")
    parser.add_argument("--ours", metavar="COMMAND", help="another command for this relay, with {port} in it")
    args = parser.parse_args(argv)
    try:
        args.works = chosen(args.only, args.quick)
    except ValueError as wrong:
        parser.error(str(wrong))
    args.rounds = args.rounds or (3 if args.quick else 5)
    return args


def _on_term(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(argv: list[str] | None = None) -> int:
    args = options(argv)
    FOLDER.mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, _on_term)
    signal.signal(signal.SIGHUP, _on_term)
    loader = Loader(FOLDER, pin=not args.no_pin)
    loader.build()
    relays = [Relay("ours", args.ours or our_command(), FOLDER / "ours.log", ROOT / "src")]
    if not (args.no_peer or args.loader or args.flat or args.costs):
        relays.append(Relay("peer", peer.install(FOLDER / "peer"), FOLDER / "peer.log"))
    about = machine.describe(netns.isolate())
    about["loader_pinned"] = loader.cpu is not None
    print("; ".join(f"{key} {value}" for key, value in about.items()), end="\n\n", flush=True)
    try:
        if args.loader:
            return _ceiling(args, loader, about)
        with ExitStack() as stack:
            for relay in relays:
                stack.callback(relay.stop)
                relay.start()
            measurement = _flat if args.flat else _costs if args.costs else _compare
            return measurement(args, loader, relays, about)
    except BrokenRun as broken:
        print(f"bench: {broken}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _compare(args: argparse.Namespace, loader: Loader, relays: list[Relay], about: dict[str, Any]) -> int:
    bench = Bench(loader, relays, args.rounds, 1.0 if args.quick else 3.0, FOLDER)
    entries: list[dict[str, Any]] = []
    print(report.heading(), flush=True)
    for work in args.works:
        tallies = measure(bench, work)
        ours, other = tallies["ours"], tallies.get("peer")
        entries.append(report.entry(work, ours, other))
        print(report.row(work, ours, other), flush=True)
        report.save(RESULTS, "compare", {**about, "method": report.METHOD, "rounds": args.rounds, "works": entries})
    missed = [entry for entry in entries if entry["ours"]["error"] or False in _verdicts(entry)]
    return 1 if missed else 0


def _verdicts(entry: dict[str, Any]) -> tuple[bool | None, bool | None]:
    return entry["rate"]["met"], entry["cpu"]["met"]


def _flat(args: argparse.Namespace, loader: Loader, relays: list[Relay], about: dict[str, Any]) -> int:
    stall = args.stall if args.stall is not None else 5.0 if args.quick else 60.0
    seen: dict[str, dict[str, Any]] = {}
    print(report.heading(flat.HEADINGS), flush=True)
    for work in flat.works(args.quick):
        seen[work.name] = flat.watch(work, relays[0], loader, stall)
        print(report.line(flat.cells(work, seen[work.name])), flush=True)
        report.save(RESULTS, "flat", {**about, "runs": seen})
    return 0 if all(run["met"] for run in seen.values()) else 1


def _costs(args: argparse.Namespace, loader: Loader, relays: list[Relay], about: dict[str, Any]) -> int:
    lines: list[list[str]] = []
    print(report.heading(costs.HEADINGS), flush=True)
    for part in (costs.hashing, costs.watching):
        for cells in part(relays[0], loader, args.rounds, args.quick):
            lines.append(cells)
            print(report.line(cells), flush=True)
            report.save(RESULTS, "costs", {**about, "rounds": args.rounds, "lines": lines})
    return 0 if all(cells[-1] == "met" for cells in lines) else 1


def _ceiling(args: argparse.Namespace, loader: Loader, about: dict[str, Any]) -> int:
    """Sender straight into receiver on all CPUs; a small transfer answered by a stub."""
    figures: dict[str, dict[str, Any]] = {}
    print(report.heading(("without a relay", "ceiling", "loader CPU")), flush=True)
    for work in args.works:
        if work.kind == "small":
            run = loader.run("small", "-p", 0, "-n", work.receivers, "-d", 1)
            run["rate"] = run["transfers"] / run["seconds"]
            cost = f"{run['loader_cpu'] / run['transfers'] * 1e6:.1f} µs"
            told = f"{run['rate']:,.0f} /s"
        elif work.kind == "stream":
            enough = replace(work, size=max(work.size, GB // work.receivers))
            run = loader.run("sink", *shape(enough))
            total = run["bytes"] * work.receivers / GB
            run["rate"], cost = total / run["seconds"], f"{run['loader_cpu'] / total:.3f} s/GB"
            told = f"{run['rate']:.2f} GB/s"
        else:
            continue
        figures[work.name] = run
        print(report.line([work.title, told, cost]), flush=True)
    report.save(RESULTS, "loader", {**about, "works": figures})
    return 0
