"""A sweep: which keys of a workflow take which values, and what is kept of each point."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from twinbrain.errors import Problem
from twinbrain.spec.base import Spec
from twinbrain.spec.distinct import distinct, repeated_value
from twinbrain.spec.labelled import refuse_other_labels
from twinbrain.spec.problems import reject
from twinbrain.spec.suggest import suggestion
from twinbrain.spec.values import MOST, MOST_TOGETHER, Values, ends_of, n_values, plain, rounded, with_unit

# Dimensions for which scipy has Sobol' points.
_MOST_DIMENSIONS = 21_201


FileKind = Literal["connectome", "region", "file", "folder"]
"""What a value may name; ``"file"`` are spikes, waveforms and arrays, ``"folder"`` is that of a task."""


class Uniform(Spec):
    """Where samples of a key lie: between two ends.

    Parameters
    ----------
    uniform, log : list of two quantities
        The ends; evenly, or evenly in the logarithm.
    integers : list of two int
        The ends, the last excluded.
    """

    uniform: tuple[str | float, str | float] | None = None
    log: tuple[str | float, str | float] | None = None
    integers: tuple[int, int] | None = None

    @model_validator(mode="after")
    def _check(self) -> Uniform:
        given = [form for form in ("uniform", "log", "integers") if getattr(self, form) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of uniform, log and integers, found {', '.join(given) or 'none'}")
        first, last, _ = ends_of(given[0], getattr(self, given[0]))
        if self.integers is not None and not first < last:
            raise ValueError(f"expected integers = [first, stop], the first below the other, found {self.integers!r}")
        return self

    def at(self, fractions: Iterable[float]) -> tuple[Any, ...]:
        """Return the values at fractions from 0 to 1 of the way."""
        if self.integers is not None:
            low, high = self.integers
            return tuple(min(low + int(fraction * (high - low)), high - 1) for fraction in fractions)
        form = "uniform" if self.uniform is not None else "log"
        first, last, unit = ends_of(form, getattr(self, form))
        numbers = (
            first * (last / first) ** fraction if form == "log" else first + (last - first) * fraction
            for fraction in fractions
        )
        return tuple(with_unit(rounded(number, first, last), unit) for number in numbers)


class Samples(Spec):
    """Points drawn from a box of parameters.

    Parameters
    ----------
    n : int
        How many; a power of two suits ``"sobol"``.
    method : {"sobol", "random"}
        Evenly spread (scrambled Sobol' points), or independent.
    seed : int
        Keys them.
    parameters : dict of str to Uniform
        The box.
    """

    n: Annotated[int, Field(ge=1, le=MOST)]
    method: Literal["sobol", "random"] = "sobol"
    seed: Annotated[int, Field(ge=0)] = 0
    parameters: Annotated[dict[str, Uniform], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> Samples:
        n_keys = len(self.parameters)
        if self.n * n_keys > MOST_TOGETHER:
            raise ValueError(
                f"expected at most {MOST_TOGETHER:,} values, found {self.n:,} of each of {n_keys:,} keys; draw fewer"
            )
        if self.method == "sobol" and n_keys > _MOST_DIMENSIONS:
            raise ValueError(
                f"expected at most {_MOST_DIMENSIONS:,} keys of Sobol' points, found {n_keys:,}; give fewer, or "
                'method = "random"'
            )
        return self


class NamedFile(Spec):
    """A file that values of a sweep name.

    Parameters
    ----------
    path : str
        Its whole path; empty for what goes by a name, such as ``"tvb-96"``.
    sha256 : str, optional
        Digest of what it held when the sweep was begun.
    """

    path: str = ""
    sha256: str | None = None


class Sweep(Spec):
    """Which keys take which values, and what is kept.

    Parameters
    ----------
    parameters : dict of str to values
        Keys of the workflow, as `twinbrain.run.sweep.assign.assigned` takes them. Each is a dimension: every value is
        combined with every other, and stands there once.
    together : tuple of dict
        Keys that change together: each table is one dimension, its lists as long as each other, and with the same
        labels, where they have any.
    cases : dict of str to dict
        One dimension of named cases, each a table of keys and their values; what it does not name stays as it is.
    contrasts : dict of str to (str, str)
        Of cases that train, pairs whose difference is told: by a name the case and the one that it is held against,
        both as their names are up to a colon.
    samples : Samples, optional
        One dimension of points drawn from a box.
    reduce : dict of str to dict
        What is computed of each point beside the simulation: names of functions of `twinbrain.analysis`, and their
        options. A list of names is short for a table without options.
    keep_runs : bool
        Keep each point's run as a whole, its spikes too.
    batch : int, optional
        Points that one task computes, and whose results lie in one file a variable; by default a few seconds' work, and
        no more than there are.
    files : dict of str to dict
        Which files the values name, by kinds and names; filled in when a file is loaded, and when a sweep is begun.
    """

    parameters: dict[str, Values] = {}
    together: tuple[Annotated[dict[str, Values], Field(min_length=1)], ...] = ()
    cases: dict[str, Annotated[dict[str, Any], AfterValidator(plain)]] = {}
    contrasts: dict[str, tuple[str, str]] = {}
    samples: Samples | None = None
    reduce: Annotated[dict[str, dict[str, Any]], BeforeValidator(lambda v: _names(v))] = {
        "mean_rates": {},
        "cv_isi": {},
        "synchrony": {},
    }
    keep_runs: bool = False
    batch: Annotated[int, Field(ge=1)] | None = None
    files: dict[FileKind, dict[str, NamedFile]] = {}

    @model_validator(mode="before")
    @classmethod
    def _check_size(cls, data: Any) -> Any:
        """Refuse what could not be held before it is written out, and lists that have other labels than each other."""
        if not isinstance(data, dict):
            return data
        parameters, together = data.get("parameters"), data.get("together")
        sizes = [n_values(values) for values in parameters.values()] if isinstance(parameters, dict) else []
        tables = [table for table in together if isinstance(table, dict)] if isinstance(together, list | tuple) else []
        for first, *others in (list(table.values()) for table in tables if table):
            for other in others:
                refuse_other_labels(first, other, "values that change together")
        n_points = 1
        for size in [*sizes, *(min(map(n_values, table.values()), default=1) for table in tables)]:
            n_points = min(n_points * size, MOST**3)  # a longer number could not be written
        if n_points > MOST:
            raise ValueError(f"expected at most {MOST:,} points, found {n_points:,}; give fewer values")
        if sum(sizes) + sum(sum(map(n_values, table.values())) for table in tables) > MOST_TOGETHER:
            raise ValueError(f"expected at most {MOST_TOGETHER:,} values of all keys, found more; give fewer")
        return data

    @model_validator(mode="after")
    def _check(self) -> Sweep:
        problems = []
        for i, table in enumerate(self.together):
            if len({len(values) for values in table.values()}) > 1:
                found = ", ".join(f"{key} {len(values)}" for key, values in table.items())
                problems.append(Problem(f"together[{i}]", f"expected lists of one length, found {found}"))
        for key, values in self.parameters.items():
            if (again := repeated_value(values)) is not None:
                message = f"expected each value once, found {again!r} twice; leave one out"
                problems.append(Problem(f"parameters.{key}", message))
        keys = [*self.parameters, *(key for table in self.together for key in table)]
        keys += self.samples.parameters if self.samples else ()
        keys += dict.fromkeys(key for case in self.cases.values() for key in case)
        if not keys:
            problems.append(Problem("", "expected at least one key with values, found none; give parameters"))
        lengths = [len(values) for values in self.parameters.values()]
        lengths += [len(next(iter(table.values()))) for table in self.together] + [len(self.cases) or 1]
        if (n := math.prod(lengths) * (self.samples.n if self.samples else 1)) > MOST:
            problems.append(Problem("", f"expected at most {MOST:,} points, found {n:,}; give fewer values"))
        repeated = sorted(key for key, n in Counter(keys).items() if n > 1)
        problems += [Problem("", f"the key {key!r} is given values twice; once is enough") for key in repeated]
        groups = {name.partition(": ")[0] for name in self.cases}
        problems += [
            Problem(f"contrasts.{contrast}", f"no case is called {group!r}; {suggestion(group, groups)}")
            for contrast, pair in self.contrasts.items()
            for group in pair
            if group not in groups
        ]
        if problems:
            raise reject(*problems)
        return self


def _names(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return value
    if (wrong := next((name for name in value if not isinstance(name, str)), None)) is not None:
        raise ValueError(
            f"expected names of analyses, found {wrong!r} among them; to give options, write a table: "
            'reduce = { mean_rates = { start = "100 ms" } }'
        )
    return {name: {} for name in distinct(value)}
