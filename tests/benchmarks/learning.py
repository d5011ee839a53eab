"""What is learned: intervals by time constants alike and unlike, and speech and digits beside simple models."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import xarray as xr

import twinbrain as tb
from twinbrain.analysis import compare, compare_conditions
from twinbrain.spec.load import load_workflow

FIXED, MANY = "leaky, alike", "leaky, spread"


def measure_intervals(n_seeds: int = 10) -> str:
    """Return the row: accuracy of leaky networks of one tuned time constant, and of log-normal ones of that mean."""
    cases = load_workflow("diversity").sweep.cases
    chosen = {name: case for name, case in cases.items() if name.partition(": ")[0] in (FIXED, MANY)}
    return _row("diversity", n_seeds, cases=chosen)


def measure_vowels(n_seeds: int = 5) -> str:
    """Return the row: accuracy on JapaneseVowels of a spiking region, and of simple models tuned as long."""
    return _row("baselines", n_seeds)


def measure_digits(n_seeds: int = 5) -> str:
    """Return the row: the same on handwritten digits."""
    return _row("baselines", n_seeds, **{"train.task": "digits"})


def _row(workflow: str, n_seeds: int, **swept: Any) -> str:
    with tempfile.TemporaryDirectory() as folder:
        study = tb.sweep(workflow, out=Path(folder) / "study.zarr", seed=range(n_seeds), **swept)
        comparison = compare_conditions(study)
    found = compare(comparison)
    tuned = comparison.attrs["caveat"].partition(" Energy")[0]
    n = ", ".join(f"{n:,.0f}" for n in found["n_parameters"].values)
    return f"{_shares(found)}; {n} parameters; {tuned}"


def _shares(found: xr.Dataset) -> str:
    names = ("accuracy", "accuracy_low", "accuracy_high", "difference", "difference_low", "difference_high")
    rows = zip(
        found["condition"].values, found["n_seeds"].values, *(100 * found[key].values for key in names), strict=True
    )
    return ", ".join(
        f"{name} {mean:.1f} % [{low:.1f}, {high:.1f}] ({n} seeds; {more:+.1f} [{least:+.1f}, {most:+.1f}] points)"
        for name, n, mean, low, high, more, least, most in rows
    )
