"""`hoody-pipe doctor URL`: what the proxies between here and a server do wrong, and which line mends it."""

import asyncio
import json
import logging
from collections.abc import Callable

import click

from hoody_pipe.client.client import Client
from hoody_pipe.doctor import front
from hoody_pipe.doctor.examination import Plan, examine
from hoody_pipe.doctor.findings import Finding, Verdict

MB = 1_000_000
# Most proxies cut at 60 s, and those in Go before 1.24 at the sixth sign of life, after 90 s.
PATIENCE = 100.0

MARKS = {Verdict.OK: "ok", Verdict.BAD: "BAD", Verdict.UNKNOWN: "?", Verdict.LEFT_OUT: "-"}

Show = Callable[[Finding, str], None]


@click.command()
@click.argument("url")
@click.option("--insecure", "-k", is_flag=True, help="Take any certificate.")
@click.option(
    "--patience",
    type=click.FloatRange(0, 3500),
    default=PATIENCE,
    show_default=True,
    metavar="SECONDS",
    help="How much silence has to be borne; 0 leaves that out.",
)
@click.option(
    "--size", type=click.FloatRange(0.1), default=4.0, show_default=True, metavar="MB", help="How much has to pass."
)
@click.option("--json", "as_json", is_flag=True, help="Print one object for each finding.")
def doctor(url: str, insecure: bool, patience: float, size: float, as_json: bool) -> int:
    """Find out what a proxy in front of a server does wrong.

    Sends and receives through URL, under names of its own. Exits with 0 when all is well, 1 when something is wrong,
    and 2 when it cannot be found out.
    """
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # connections are cut on purpose
    found = asyncio.run(_examine(url, insecure, Plan(patience, int(size * MB)), _show_json if as_json else _show))
    wrong, unknown = found.count(Verdict.BAD), found.count(Verdict.UNKNOWN)
    if not as_json:
        click.echo(_summary(wrong, unknown))
    return 1 if wrong else 2 if unknown else 0


async def _examine(url: str, insecure: bool, plan: Plan, show: Show) -> list[Verdict]:
    async with Client(url, insecure) as client:
        seen = await front.look(client)
        found = []
        async for finding in examine(client, seen, plan):
            show(finding, seen.kind)
            found.append(finding.verdict)
        return found


def _show(finding: Finding, kind: str) -> None:
    click.echo(f"{MARKS[finding.verdict]:4} {finding.text}")
    for proxy, line in finding.remedy_for(kind).items():
        click.echo(f"       {proxy}: {line}")


def _show_json(finding: Finding, kind: str) -> None:
    shown = {"check": finding.check, "verdict": finding.verdict, "finding": finding.text}
    click.echo(json.dumps({**shown, "remedy": finding.remedy_for(kind)}))


def _summary(wrong: int, unknown: int) -> str:
    if not wrong and not unknown:
        return "All is well."
    parts = [f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong"] if wrong else []
    parts += [f"{unknown} could not be found out"] if unknown else []
    return ", ".join(parts) + ("; mend that and ask again." if wrong else ".")
