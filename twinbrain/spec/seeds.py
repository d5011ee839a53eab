"""Seeds among the keys of a sweep, of which equal ones give equal results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from twinbrain.errors import SpecError
from twinbrain.spec.axes import Axis
from twinbrain.spec.keys import full_key

_SEEDS = {("run", "seed"), ("run", "drive_seed"), ("train", "task", "seed")}


def check_seeds(axes: Sequence[Axis]) -> None:
    """Refuse a dimension along which seeds alone change, and that has the same ones twice.

    Its points would be computed anew to the same bits, and counted as if they were independent.

    Raises
    ------
    SpecError
        If there is one; the first such seed is named.
    """
    for axis in axes:
        if axis.labels or not all(tuple(full_key(key)) in _SEEDS for key in axis.columns):
            continue
        rows = list(zip(*axis.columns.values(), strict=True))
        if not all(isinstance(value, Hashable) for values in rows for value in values):
            continue  # no seeds at all, which is told where they are given
        known = Counter(rows)
        if twice := [values for values, n in known.items() if n > 1]:
            found = ", ".join(f"{key} = {value}" for key, value in zip(axis.columns, twice[0], strict=True))
            raise SpecError(
                f"sweep: expected each seed once, found {found} {known[twice[0]]} times; equal seeds give equal "
                "results, and count once: give others"
            )
