"""The command line."""

import sys

from twinbrain.errors import TwinbrainError
from twinbrain.interpreter import check_interpreter

__all__ = ["main"]


def main() -> None:
    """Run the command line; see `twinbrain.cli.app.main`."""
    try:
        check_interpreter()  # before what is imported for the commands, which would fail
    except TwinbrainError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    from twinbrain.cli.app import main as run

    run()
