"""The command line: `hoody-pipe`."""

import sys

import click

from hoody_pipe import __version__
from hoody_pipe.cli.serve import serve
from hoody_pipe.errors import ConfigError


@click.group()
@click.version_option(__version__, prog_name="hoody-pipe")
def cli() -> None:
    """An HTTP server on which a named path is a pipe."""


cli.add_command(serve)


def main() -> None:
    """Run the command line; a wrong setting is one line and exit status 2."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        sys.exit(_fail(error.format_message()))
    except ConfigError as error:
        sys.exit(_fail(str(error)))


def _fail(message: str) -> int:
    click.echo(f"hoody-pipe: {message}", err=True)
    return 2
