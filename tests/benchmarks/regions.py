"""What the READMEs of the regions state of each of them alone: its rates, and how irregularly it fires.

``python -m tests.benchmarks.regions [REGION …]`` prints a table over seeds 1 to 5, without the first 0.2 s of 3 s.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import twinbrain as tb
from twinbrain.analysis.intervals import interval_statistics
from twinbrain.units import number

DURATION = "3 s"
WARM_UP = "200 ms"
BIN = "3 ms"
SEEDS = 5
DIGITS = {"rate": 2, "sd": 1, "silent": 2, "cv": 3, "cv2": 3, "fano": 2}


def measure(region: str, seed: int, duration: str = DURATION) -> pd.DataFrame:
    """Simulate a region, and return the figures of its populations.

    Parameters
    ----------
    region : str
        Its name.
    seed : int
        Of the run.
    duration : str (s), optional
        Of the run.

    Returns
    -------
    pandas.DataFrame
        Of each population ``rate`` and its standard deviation over neurons ``sd`` (Hz), ``silent`` (the share of
        neurons without a spike), ``cv`` and ``cv2`` (of intervals, the mean over neurons with 3 spikes or more), and
        ``fano`` (the variance over the mean of the population's spike count in bins of 3 ms).
    """
    run = tb.simulate(tb.load_region(region), duration=duration, seed=seed, progress=False)
    populations = run.twin.populations
    rates = run.twin.rates(BIN, by="population", start=WARM_UP).values
    counts = rates * populations["size"].values * number(BIN, "s")
    neurons = interval_statistics(run, WARM_UP).to_dataframe()
    neurons["rate"] = neurons["n_spikes"] / (number(duration, "s") - number(WARM_UP, "s"))
    neurons["silent"] = neurons["n_spikes"] == 0
    names = [str(name).split("/")[-1] for name in populations["population"].values]
    groups = neurons.groupby(np.repeat(names, populations["size"].values))
    found = groups[["rate", "silent", "cv", "cv2"]].mean().assign(sd=groups["rate"].std(ddof=0))
    return found.loc[names].assign(fano=counts.var(axis=0) / counts.mean(axis=0))[list(DIGITS)]


def table(region: str, seeds: int = SEEDS, duration: str = DURATION) -> str:
    """Return the rows of a region: means over seeds, and the range from the lowest to the highest."""
    runs = np.stack([(last := measure(region, seed, duration)).to_numpy() for seed in range(1, seeds + 1)])
    lines = []
    for population, of_runs in zip(last.index, runs.transpose(1, 0, 2), strict=True):
        cells = [
            f"{values.mean():.{digits}f} ({values.min():.{digits}f}–{values.max():.{digits}f})"
            for values, digits in zip(of_runs.T, DIGITS.values(), strict=True)
        ]
        lines.append(f"| {region} | `{population}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def measure_all() -> str:
    """Return the CV of each population of each region that has drives."""
    found = []
    for region in driven():
        cv = (
            pd.concat([measure(region, seed)["cv"] for seed in range(1, SEEDS + 1)]).groupby(level=0, sort=False).mean()
        )
        found.append(f"{region} " + ", ".join(f"{name} {value:.2f}" for name, value in cv.items()))
    return "; ".join(found)


def driven() -> list[str]:
    """Return the names of the shipped regions that bring their own input."""
    return [name for name in tb.region_names() if tb.load_region(name).drives]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("regions", nargs="*", help="names of regions; by default all that have drives")
    parser.add_argument("--duration", default=DURATION)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    print(f"| region | population | {' | '.join(DIGITS)} |\n{'| --- ' * (len(DIGITS) + 2)}|")
    for region in given.regions or driven():
        print(table(region, given.seeds, given.duration), flush=True)


if __name__ == "__main__":
    main()
