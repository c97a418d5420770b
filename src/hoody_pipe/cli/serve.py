"""`hoody-pipe serve`: every flag comes from the Config."""

from collections.abc import Callable
from typing import Any

import click

from hoody_pipe import app
from hoody_pipe.cli.logs import log_to_stderr
from hoody_pipe.config import SETTINGS, Config, flag, variable

Command = Callable[..., int]

HINTS = """\
In one terminal:   curl -fT myfile {url}/api/v1/pipe/hello
In another:        curl -f {url}/api/v1/pipe/hello > copy
"""


def _with_settings(command: Command) -> Command:
    for setting in reversed(SETTINGS):
        command = _option(setting)(command)
    return command


def _option(setting: Any) -> Callable[[Command], Command]:
    kind: Any = type(setting.default)
    least = setting.metadata["least"]
    if kind is bool:
        return click.option(flag(setting), is_flag=True, envvar=variable(setting), help=setting.metadata["help"])
    if setting.metadata["choices"]:
        kind = click.Choice(setting.metadata["choices"])
    if least is not None:
        kind = (click.IntRange if kind is int else click.FloatRange)(min=least)
    return click.option(
        flag(setting),
        type=kind,
        default=setting.default,
        show_default=True,
        envvar=variable(setting),
        help=setting.metadata["help"],
        metavar=None if setting.metadata["choices"] else (setting.metadata["unit"] or setting.name).upper(),
    )


@click.command()
@_with_settings
@click.option("--hints", is_flag=True, help="Print two curl lines to try.")
def serve(hints: bool, **settings: Any) -> int:
    """Serve until SIGTERM or SIGINT."""
    log_to_stderr(settings["log_level"], settings["log_format"] == "json")

    def announce(url: str) -> None:
        click.echo(f"listening on {url}")
        if hints:
            click.echo(HINTS.format(url=url))

    return app.serve(Config(**settings), announce)
