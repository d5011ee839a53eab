"""Whether rates of the resting brain follow its connectome: as shipped, without coupling, and rewired.

``python -m tests.benchmarks.resting_state FOLDER`` keeps each run in FOLDER, goes on with what is there, and prints
the table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import xarray as xr
from scipy import stats

import twinbrain as tb
from twinbrain.run.simulate import resume
from twinbrain.spec.workflow import Run, Workflow
from twinbrain.store import run_info

WORKFLOW = "resting_state"
DURATION = "60 s"
SEEDS = 5
WARM_UP = "1 s"
BIN = "100 ms"
CASES = ("as shipped", "coupling 0", "rewired")


def workflow_of(case: str, seed: int, duration: str) -> Workflow:
    """Return what a case runs; each seed has a rewiring of its own."""
    shipped = tb.load_workflow(WORKFLOW)
    connectome = tb.load_connectome(shipped.brain.connectome)
    if case == "rewired":
        connectome = tb.rewire(connectome, seed)
    fields = {name: getattr(shipped.brain, name) for name in tb.Brain.model_fields}
    changes = {"connectome": connectome, "coupling": 0.0 if case == "coupling 0" else shipped.brain.coupling}
    return Workflow(
        name=shipped.name,
        run=Run.parse(shipped.run.to_dict() | {"seed": seed, "duration": duration}),
        brain=tb.Brain(**fields | changes),
        record=tb.Record(spikes=False, rate_bin=BIN),
    )


def run(case: str, seed: int, duration: str, path: Path) -> xr.DataTree:
    """Return the run of a case, from where it stands."""
    if path.exists() and run_info(path).status == "complete":
        return tb.open_run(path)
    return resume(path) if path.exists() else tb.simulate(workflow_of(case, seed, duration), out=path)


def measure(tree: xr.DataTree) -> dict[str, float]:
    """Return a run's figures: correlations with the real connectome and with its own, and rates (Hz)."""
    real = tb.load_connectome(tb.load_workflow(WORKFLOW).brain.connectome)
    found = tree.twin.structure_function(BIN, WARM_UP, connectome=real)
    own = tree.twin.structure_function(BIN, WARM_UP)
    kinds = tree.twin.mean_rates("kind", WARM_UP)
    lowest = tree.twin.mean_rates("population", WARM_UP)
    return {
        "r": float(found["r"]),
        "r with its own connectome": float(own["r"]),
        "mean correlation": float(found["correlation"].mean()),
        **{str(kind): float(kinds.sel(kind=kind)) for kind in kinds["kind"].values},
        "lowest population": float(lowest.min()),
    }


def interval(values: list[float]) -> str:
    """Return a mean with its 95 % interval over seeds, from Student's t."""
    mean = np.mean(values)
    if len(values) < 2:
        return f"{mean:.3g}"
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f"{mean:.3g} [{mean - half:.3g}, {mean + half:.3g}]"


def table(folder: Path) -> str:
    """Return the table of all runs of a folder that are complete."""
    found: dict[str, list[dict[str, float]]] = {}
    for case in CASES:
        paths = sorted(folder.glob(f"{case.replace(' ', '-')}-*.zarr"))
        complete = [path for path in paths if run_info(path).status == "complete"]
        if complete:
            found[case] = [measure(tb.open_run(path)) for path in complete]
    names = dict.fromkeys(name for runs in found.values() for run_ in runs for name in run_)
    lines = ["| | " + " | ".join(f"{case}, {len(runs)} seeds" for case, runs in found.items()) + " |"]
    lines.append("| --- " * (len(found) + 1) + "|")
    for name in names:
        cells = [interval([run_[name] for run_ in runs]) for runs in found.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--duration", default=DURATION)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1, SEEDS + 1)))
    parser.add_argument("--cases", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("--table", action="store_true", help="print the table of what is there, and run nothing")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for seed in [] if given.table else given.seeds:
        for case in given.cases:
            run(case, seed, given.duration, given.folder / f"{case.replace(' ', '-')}-{seed}.zarr")
    print(table(given.folder))


if __name__ == "__main__":
    main()
