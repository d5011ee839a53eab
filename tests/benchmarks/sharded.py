"""One brain on many workers: two processes against one, and weak scaling."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path

import numpy as np

from tests.roots import stored_files
from twinbrain.connectome import load_connectome, synthetic_connectome
from twinbrain.run.cluster.connect import connected
from twinbrain.run.prepare import prepare, silent
from twinbrain.run.sharded.rank import RankOutcome
from twinbrain.run.sharded.shards import Shards
from twinbrain.spec.brain import Brain, LongRange
from twinbrain.spec.load import load_region, load_workflow
from twinbrain.spec.region import Region
from twinbrain.spec.workflow import Run, Workflow
from twinbrain.store import Location

LEAST_NEURONS = (200, 500)
MODEL_TIME = "1 s"


def measure_speed() -> str:
    """Return the row: 96 regions, two processes against one."""
    return "; ".join(f"regions of at least {size} neurons: {_speed(size)}" for size in LEAST_NEURONS)


def _speed(size: int, repetitions: int = 3) -> str:
    prepared = prepare(_whole_brain(size))
    times: dict[int, list[float]] = {1: [], 2: []}
    shares, set_up, stores = [], {}, {}
    with connected("local", workers=2) as client, _folder() as folder:
        Shards(2, client).run(prepared, folder("compile"), start="create", progress=silent)
        for repetition in range(repetitions):
            for n in times:
                place = folder(f"{n}-{repetition}")
                outcomes = Shards(n, client).run(prepared, place, start="create", progress=silent)
                times[n].append(max(outcome.running for outcome in outcomes))
                set_up[n] = max(outcome.set_up for outcome in outcomes)
                stores[n] = stored_files(place.path)
                if n > 1:
                    shares.append(max(o.timings.exchanging / o.running for o in outcomes))
        window, sent = outcomes[0].window or 0, sum(outcome.timings.n_sent for outcome in outcomes)
    ratios = np.array(times[1]) / np.array(times[2])
    identical = "identical" if stores[1] == stores[2] else "DIFFERENT"
    return (
        f"{np.median(ratios):.2f} × ({ratios.min():.2f}–{ratios.max():.2f}): {np.median(times[1]):.1f} s against "
        f"{np.median(times[2]):.1f} s for {MODEL_TIME} of {prepared.layout.n_neurons:,} neurons, set-up apart "
        f"({set_up[1]:.1f} s and {set_up[2]:.1f} s); {100 * np.median(shares):.0f} % of it in exchanges, waiting "
        f"included, one every {window} steps, {sent:,} spikes sent; stores {identical}"
    )


def measure_weak_scaling() -> str:
    """Return the row: processor time a rank where the brain grows with the number of shards."""
    parts = []
    for n in (1, 2, 4, 8):
        with connected("local", workers=n) as client, _folder() as folder:
            prepared = prepare(_columns(12 * n))
            Shards(n, client).run(prepared, folder("compile"), start="create", progress=silent)
            outcomes = Shards(n, client).run(prepared, folder("run"), start="create", progress=silent)
        parts.append(f"{n}: {_describe(outcomes)}")
    return "processor seconds a rank for 0.5 s of 12 cortical columns each; " + "; ".join(parts)


def _describe(outcomes: tuple[RankOutcome, ...]) -> str:
    timings = [outcome.timings for outcome in outcomes]
    computing = np.median([t.computing_processor for t in timings])
    exchanging = np.median([t.exchanging_processor for t in timings])
    n = max(1, timings[0].n_exchanges)
    return (
        f"{computing:.2f} computing, {exchanging:.2f} exchanging ({1e3 * exchanging / n:.2f} ms and "
        f"{sum(t.n_sent for t in timings) / n:.0f} spikes an exchange, {n} exchanges, window {outcomes[0].window})"
    )


def _whole_brain(size: int) -> Workflow:
    """Return the resting state with regions of at least so many neurons."""
    workflow = load_workflow("resting_state")
    regions = {pattern: _enlarged(region, size) for pattern, region in workflow.brain.regions.items()}
    brain = workflow.brain.model_copy(update={"regions": regions, "connectome": load_connectome("tvb-96")})
    run = Run.parse({"duration": MODEL_TIME, "window": MODEL_TIME})
    return Workflow(name="sharded", run=run, brain=brain, stimuli=workflow.stimuli)


def _enlarged(region: Region, least: int) -> Region:
    n_neurons = sum(population.size for population in region.populations.values())
    factor = 1.0
    while n_neurons < least:
        factor += ceil(100 * (least / n_neurons - 1)) / 100
        n_neurons = sum(population.size for population in region.scaled(factor).populations.values())
    return region.scaled(factor)


def _columns(n_regions: int) -> Workflow:
    brain = Brain(
        connectome=synthetic_connectome(n_regions),
        regions={"*": _enlarged(load_region("cortex/column"), 200)},
        long_range=LongRange(in_degree=20, weight="0.2 nS"),
    )
    return Workflow(name="columns", run=Run.parse({"duration": "500 ms", "window": "500 ms"}), brain=brain)


@contextmanager
def _folder() -> Iterator[Callable[[str], Location]]:
    with tempfile.TemporaryDirectory() as folder:
        yield lambda name: Location(Path(folder) / name)
