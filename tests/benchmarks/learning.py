"""What is learned: intervals by time constants alike and unlike, and spoken vowels beside an LSTM."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import xarray as xr

import twinbrain as tb
from twinbrain.analysis import compare, compare_conditions
from twinbrain.spec.load import load_workflow

FIXED = "one time constant"
MANY = "many time constants"
# Frames are stretched from 6.4 to 12 ms, so that a neuron can spike several times in each.
_SPEECH = {
    "train.task": {"name": "vowels", "frame": "12 ms", "peak": "400 Hz", "validation": 0.1},
    "train.input": {"rate": "20 Hz", "probability": 0.3},
    "train.epochs": 30,
    "train.batch_size": 32,
}
VOWELS = {
    "spiking": _SPEECH | {"train.learning_rate": 0.02},
    "LSTM: rate 0.005": _SPEECH | {"train.baseline": "lstm", "train.learning_rate": 0.005},
    "LSTM: rate 0.02": _SPEECH | {"train.baseline": "lstm", "train.learning_rate": 0.02},
}


def measure_intervals(n_seeds: int = 10) -> str:
    """Return the row: accuracy of the tuned homogeneous network, and of log-normal time constants."""
    cases = load_workflow("diversity").sweep.cases
    chosen = {name: case for name, case in cases.items() if name == MANY or name.startswith(f"{FIXED}: ")}
    found = _compared(chosen, n_seeds)
    return f"{_shares(found)}; paired difference {_points(found, MANY)} points; {found.attrs['tuned']}"


def measure_vowels(n_seeds: int = 5) -> str:
    """Return the row: accuracy on JapaneseVowels of a spiking region, and of an LSTM of as many parameters."""
    found = _compared(VOWELS, n_seeds)
    n = ", ".join(f"{n:,.0f}" for n in found["n_parameters"].values)
    lstm = str(found["condition"].values[1])
    return f"{_shares(found)}; paired difference {_points(found, lstm)} points; {n} parameters; {found.attrs['tuned']}"


def _compared(cases: dict[str, dict[str, Any]], n_seeds: int) -> xr.Dataset:
    with tempfile.TemporaryDirectory() as folder:
        swept = {"seed": range(n_seeds), "train.labels": [1.0]}
        study = tb.sweep("diversity", out=Path(folder) / "study.zarr", cases=cases, **swept)
        comparison = compare_conditions(study)
    tuned = comparison.attrs["caveat"].partition(" Energy")[0]
    return compare(comparison).assign_attrs(tuned=tuned)


def _shares(found: xr.Dataset) -> str:
    return ", ".join(
        f"{name} {100 * mean:.1f} % [{100 * low:.1f}, {100 * high:.1f}] ({n} seeds)"
        for name, mean, low, high, n in zip(
            found["condition"].values,
            *(found[key].values for key in ("accuracy", "accuracy_low", "accuracy_high", "n_seeds")),
            strict=True,
        )
    )


def _points(found: xr.Dataset, condition: str) -> str:
    one = found.sel(condition=condition)
    middle, low, high = (100 * float(one[f"difference{end}"]) for end in ("", "_low", "_high"))
    return f"{middle:+.1f} [{low:+.1f}, {high:+.1f}]"
