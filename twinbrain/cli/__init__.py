"""The command line."""

from twinbrain.cli.app import main

__all__ = ["main"]
