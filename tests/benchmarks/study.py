"""A study of trainings in two sweeps: what is tuned is tuned with seeds of its own, and only the best goes on.

``python -m tests.benchmarks.study diversity FOLDER --task store_recall`` keeps both sweeps in FOLDER, goes on with what
is there, and writes the table and the figure beside them. It takes half the trainings that the workflow takes as a
whole, and what stands in the table had no part in the choice.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import xarray as xr

import twinbrain as tb
from twinbrain.run.sweep.assign import assigned
from twinbrain.spec.workflow import Workflow

# Seeds of the choice begin here, far from those of the table.
FIRST_OF_CHOICE = 1000


def cases_of(workflow: Workflow) -> dict[str, dict[str, Any]]:
    """Return the cases of a workflow's sweep, by name."""
    assert workflow.sweep is not None
    return {name: dict(values) for name, values in workflow.to_dict()["sweep"]["cases"].items()}


def rivals_of(cases: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the cases among which one is chosen: those whose names agree up to a colon."""
    members = Counter(name.partition(": ")[0] for name in cases)
    return {name: case for name, case in cases.items() if members[name.partition(": ")[0]] > 1}


def study(
    workflow: Workflow, folder: Path, seeds: int, choice: int, workers: int | None
) -> tuple[xr.Dataset, xr.Dataset]:
    """Run both sweeps of a workflow, or what is missing of them; return the choice's and the table's comparison.

    The choice is by accuracy alone, so no network of it is disturbed.
    """
    cases = cases_of(workflow)
    rivals = rivals_of(cases)
    seeds_of_choice = range(FIRST_OF_CHOICE, FIRST_OF_CHOICE + choice)
    plain = assigned(workflow, {"train.robustness": False})
    first = tb.sweep(plain, out=folder / "choice.zarr", cases=rivals, seed=seeds_of_choice, workers=workers)
    chosen = tb.compare_conditions(first)
    best = {str(condition) for condition in chosen["condition"].values}
    standing = {name: case for name, case in cases.items() if name not in rivals or name in best}
    last = tb.sweep(workflow, out=folder / "study.zarr", cases=standing, seed=range(seeds), workers=workers)
    return chosen, tb.compare_conditions(last)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workflow")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", default=None, help='a name, or JSON: {"name": "digits", "coding": "pixels"}')
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--choice", type=int, default=2, help="seeds with which settings are chosen")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--robustness", action=argparse.BooleanOptionalAction, default=True)
    given = parser.parse_args()
    workflow = tb.load_workflow(given.workflow)
    if given.task is not None:
        task = json.loads(given.task) if given.task.startswith("{") else given.task
        workflow = assigned(workflow, {"train.task": task})
    workflow = assigned(workflow, {"train.robustness": given.robustness})
    chosen, comparison = study(workflow, given.folder, given.seeds, given.choice, given.workers)
    table = f"{tb.plot.comparison_table(comparison)}\nWith {given.choice} other seeds: {chosen.attrs['caveat']}\n"
    (given.folder / "study.md").write_text(table)
    tb.plot.save(tb.plot.comparison_figure(comparison), given.folder / "study.png")
    print(table)
