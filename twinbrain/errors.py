"""Errors: each says what was expected, what was found, where, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Of a word and of a line, what a message shows: a file may hold a name as long as itself. Paths are rarely as long.
_LONGEST_WORD = 400
_LONGEST_LINE = 12_000
_LONG_WORD = re.compile(rf"\S{{{_LONGEST_WORD + 1},}}")


def shortened(text: str) -> str:
    """Return a message with the middle of its endless words, and the end of its endless lines, left out."""
    text = _LONG_WORD.sub(lambda word: f"{word[0][:100]}…{word[0][-100:]}", text)
    if len(text) <= _LONGEST_LINE:
        return text
    lines = text.split("\n")
    return "\n".join(line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…" for line in lines)


class TwinbrainError(Exception):
    """Base of every error that twinbrain raises on purpose; its text is as long as one can read."""

    def __str__(self) -> str:
        return shortened(super().__str__())


@dataclass(frozen=True)
class Problem:
    """One fault of an input.

    Parameters
    ----------
    where : str
        Place of the fault: file and key, as far as they are known.
    message : str
        What was expected, what was found, and what to do.
    """

    where: str
    message: str

    def __str__(self) -> str:
        return shortened(f"{self.where}: {self.message}" if self.where else self.message)

    def within(self, prefix: str) -> Problem:
        """Return the same problem with ``prefix`` put before its place."""
        return Problem(": ".join(part for part in (prefix, self.where) if part), self.message)


class SpecError(TwinbrainError, ValueError):
    """A declaration (region, brain, workflow) that cannot be right.

    Parameters
    ----------
    problems : str or iterable of Problem
        Every fault that was found, not the first alone.
    """

    def __init__(self, problems: str | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = [Problem("", problems)]
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def within(self, prefix: str) -> SpecError:
        """Return the same error with ``prefix`` put before the place of each problem."""
        return type(self)(problem.within(prefix) for problem in self.problems)


class UnitError(SpecError):
    """A quantity without a unit, or with a unit of another dimension."""


class ExchangeError(SpecError):
    """A model that a format cannot express, or a file of another program that cannot be read as a model."""


class ConnectomeError(TwinbrainError, ValueError):
    """A connectome file or matrix that cannot be right."""


class PlanError(TwinbrainError, MemoryError):
    """A run that would not fit into the memory allowed to it."""


class EngineError(TwinbrainError, RuntimeError):
    """An engine that is unknown, busy, or cannot run the given network."""


class BreakdownError(TwinbrainError, ArithmeticError):
    """A run that was stopped because a state was no finite number any more."""


class BreakdownWarning(UserWarning):
    """A run in which a state was no finite number any more, and which went on."""


class ExchangeWarning(UserWarning):
    """Parts of another program's file that are not known here, and were left out."""


class FunctionWarning(UserWarning):
    """A function of a person's own that cannot be compared with the one with which a store was begun."""


class ClusterError(TwinbrainError, RuntimeError):
    """A cluster that cannot be reached, or workers that are missing or would not compute what this process would."""


class LearnError(TwinbrainError, ValueError):
    """A network, a task and a rule that do not fit together, or a training that went astray."""


class MissingPackageError(TwinbrainError, ModuleNotFoundError):
    """A package that is needed for what was asked, and comes with an extra that is not installed."""


class StoreError(TwinbrainError, OSError):
    """A run store that is missing, foreign, of another version, or cannot be written."""


class RunInterrupted(TwinbrainError, KeyboardInterrupt):
    """A run that was asked to stop, and stopped at the end of a window."""
