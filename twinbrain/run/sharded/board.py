"""What the driver tells a rank that is at work: to stop at the end of a window, or to give up at once.

A board is a variable of the worker's process; the driver writes it with ``client.run`` while the task runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinbrain.errors import TwinbrainError


class RankLostError(TwinbrainError, RuntimeError):
    """A rank could not go on because another one, or the driver, no longer does; the gang begins again."""


@dataclass
class Board:
    """What one gang is told.

    Parameters
    ----------
    stop : bool
        Stop at the end of the window.
    abort : bool
        Give up.
    """

    stop: bool = False
    abort: bool = False

    def check(self) -> None:
        """Raise a `RankLostError` if the gang is to give up."""
        if self.abort:
            raise RankLostError("the gang was told to give up")


_boards: dict[str, Board] = {}


def board_of(gang: str) -> Board:
    """Return the board of a gang in this process; it may be written before the task begins."""
    return _boards.setdefault(gang, Board())


def ask_to_stop(gang: str) -> None:
    """Ask a gang to stop at the end of the window."""
    board_of(gang).stop = True


def ask_to_give_up(gang: str) -> None:
    """Ask a gang to give up."""
    board_of(gang).abort = True


def forget(gang: str) -> None:
    """Forget a gang."""
    _boards.pop(gang, None)
