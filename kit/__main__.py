"""``python -m kit``: the command line, with a user's error as one line on stderr and exit 1."""

from __future__ import annotations

import os
import sys

import click

from kit.cli import clear_bar, kit
from kit.errors import KitError


def main() -> None:
    """Run the command line; a KitError is the user's, anything else keeps its traceback."""
    # OpenMP's threads wait by spinning: beside one busy process, on the core that the last of them
    # needs, and training takes several times as long. Not to spin at all costs a fifth on an idle
    # machine; a short spin costs nothing there. It must be said before torch is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    try:
        sys.exit(kit(standalone_mode=False) or 0)
    except KitError as error:
        clear_bar()
        click.echo(f"kit: {error}", err=True)
        sys.exit(1)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("kit: stopped; what was finished is kept, run again to go on", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
