"""The command line: `hoody-pipe`."""

import sys
from importlib import import_module

import click

from hoody_pipe import __version__
from hoody_pipe.errors import ConfigError, Unreachable

COMMANDS = ("serve", "doctor")


class Commands(click.Group):
    """Each command has a module of its name, imported only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"{__name__}.{cmd_name}"), cmd_name)
        return command


@click.group(cls=Commands)
@click.version_option(__version__, prog_name="hoody-pipe")
def cli() -> None:
    """An HTTP server on which a named path is a pipe."""


def main() -> None:
    """Run the command line; a wrong setting, or a server that cannot be asked, is one line and exit status 2."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        sys.exit(_fail(error.format_message()))
    except (ConfigError, Unreachable) as error:
        sys.exit(_fail(str(error)))


def _fail(message: str) -> int:
    click.echo(f"hoody-pipe: {message}", err=True)
    return 2
