"""Mutates inputs of what reads strangers' bytes, guided by what of the code they reach, until a promise breaks."""

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from fuzz.seeds import SEEDS
from fuzz.targets import CORPUS, TARGETS

WORK = Path(__file__).resolve().parents[2] / ".fuzz"
LONGEST = {"head": 1024, "chunked": 512, "multipart": 768, "names": 160, "query": 512}  # bytes of an input


@dataclass(frozen=True)
class Result:
    """What came of fuzzing one target."""

    inputs: int
    seconds: float
    found: list[Path]
    output: str


def fuzz(target: str, seconds: int) -> Result:
    """Start from the seeds, from what is kept, and from what earlier runs in this checkout have found."""
    work, broken = WORK / target, WORK / "broken"
    broken.mkdir(parents=True, exist_ok=True)
    began, stamp = time.monotonic(), time.time()
    flags = [
        f"-max_total_time={seconds}",
        "-timeout=10",
        "-print_final_stats=1",
        f"-artifact_prefix={broken}/{target}-",
    ]
    output = _libfuzzer(target, *flags, _with_seeds(target, work), str(CORPUS / target))
    tried = re.search(r"stat::number_of_executed_units:\s*(\d+)", output)
    found = [path for path in broken.glob(f"{target}-*") if path.stat().st_mtime >= stamp]
    return Result(int(tried[1]) if tried else 0, time.monotonic() - began, found, output)


def keep(target: str) -> int:
    """Put the smallest inputs that reach more than the seeds do into the corpus; how many they are."""
    with tempfile.TemporaryDirectory() as folder:
        into = _with_seeds(target, Path(folder))
        output = _libfuzzer(target, "-set_cover_merge=1", into, str(CORPUS / target), str(WORK / target))
        found = [path for path in Path(folder).iterdir() if not path.name.startswith("seed-")]
        if not found:
            raise SystemExit(f"fuzz: nothing could be merged\n{output}")
        shutil.rmtree(CORPUS / target)
        (CORPUS / target).mkdir()
        for path in found:
            shutil.copy(path, CORPUS / target)
    return len(found)


def _with_seeds(target: str, folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[target]):
        (folder / f"seed-{number}").write_bytes(seed)
    return str(folder)


def _libfuzzer(target: str, *flags: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "trials.fuzzed", target, f"-max_len={LONGEST[target]}", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.stdout.decode("utf-8", "replace")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)} (default all)")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("--keep", action="store_true", help="afterwards, add what reaches more to tests/fuzz/corpus")
    args = parser.parse_args(argv)
    unknown = set(args.targets) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    if importlib.util.find_spec("atheris") is None:
        print("fuzz: atheris has no wheel for this Python and machine; take Python 3.11 to 3.13 on x86_64")
        return 1
    failed = False
    for target in args.targets or TARGETS:
        result = fuzz(target, args.seconds)
        print(
            f"{target}: {result.inputs:,} inputs in {result.seconds:.0f} s, {len(result.found)} broke a promise",
            flush=True,
        )
        if result.found or not result.inputs:
            failed = True
            print("\n".join(result.output.splitlines()[-40:]))
        elif args.keep:
            print(f"{target}: {keep(target)} inputs are kept", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    sys.exit(main())
