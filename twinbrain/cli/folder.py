"""The folder in which a command is started: nothing in it is run unless the person names it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from twinbrain.errors import Problem, SpecError

# What libraries would run, or would load compiled code for, because it lies in the working folder.
_RUN = {
    "brian_preferences": "Brian2 runs as Python; move your preferences to ~/.brian/user_preferences",
    ".numba_config.yaml": "Numba takes compiled code from; set variables such as NUMBA_NUM_THREADS instead",
}
# Matplotlib obeys it before the person's own; it can start programs, such as LaTeX, on what it says.
_SETTINGS = "matplotlibrc"
# Python would import modules from the working folder in the processes that a command starts.
_SAFE_PATH = "PYTHONSAFEPATH"


def guard_working_folder(context: typer.Context) -> None:
    """Refuse a folder that holds what a library would run, and keep Python's own imports out of it.

    Settings of Matplotlib there are passed over, for those of the person.

    Parameters
    ----------
    context : typer.Context
        Of the command; the environment is given back at its end.

    Raises
    ------
    SpecError
        If there is such a file.
    """
    if problems := [
        Problem(name, f"expected no such file in the working folder, found one, which {what}; or start elsewhere")
        for name, what in _RUN.items()
        if os.path.lexists(Path(name))
    ]:
        raise SpecError(problems)
    if os.path.lexists(_SETTINGS):
        _import_matplotlib_without_it()
    if _SAFE_PATH not in os.environ:
        os.environ[_SAFE_PATH] = "1"
        context.call_on_close(lambda: os.environ.pop(_SAFE_PATH, None))


def _import_matplotlib_without_it() -> None:
    """Import Matplotlib as if its settings did not lie in the working folder; it reads some once, when imported."""
    if "matplotlib" in sys.modules:
        return
    exists = os.path.exists
    os.path.exists = lambda path: path != _SETTINGS and exists(path)
    try:
        import matplotlib as matplotlib
    finally:
        os.path.exists = exists
