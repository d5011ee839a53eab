"""Every shipped region in every engine for a second of model time; by default for less, and not in compiled code."""

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import build_brain
from twinbrain.engines.base import get_engine

ENGINES = ("brian2-numpy", "torch", "reference")


def driven(region):
    """Return a region with input from outside; those that are to be trained bring none, and would be silent."""
    if region.drives:
        return region
    drives = tuple(
        tb.Drive(population=name, receptor=region.cell_of(name).receptors[0], rate="1 kHz", weight="120 pA")
        for name in region.populations
    )
    return region.model_copy(update={"drives": drives})


@pytest.fixture(scope="module")
def network():
    """All shipped regions side by side without synapses between them: each is alone, and all are compiled at once."""
    regions = {name: driven(tb.load_region(name)) for name in tb.region_names()}
    alone = np.zeros((len(regions), len(regions)))
    return build_brain(tb.Brain(connectome=tb.Connectome(alone, alone, list(regions)), regions=regions))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((ENGINES, 1_000), id="100 ms"),
        pytest.param((("brian2", *ENGINES), 10_000), id="1 s", marks=pytest.mark.slow),
    ],
)
def spikes(network, request):
    """The spikes of each engine, as rows of step and neuron."""
    engines, n_steps = request.param
    found = {}
    for engine in engines:
        simulation = get_engine(engine)(network)
        simulation.advance(n_steps)
        recorded = simulation.collect().spikes
        found[engine] = np.column_stack([recorded.step, recorded.neuron])
        simulation.close()
    return found


@pytest.mark.parametrize("name", tb.region_names())
def test_a_shipped_region_has_the_same_spikes_in_every_engine(name, network, spikes):
    populations = [population for population in network.populations if population.label == name]
    first, last = populations[0].start, populations[-1].stop
    *found, expected = (rows[(rows[:, 1] >= first) & (rows[:, 1] < last)] for rows in spikes.values())
    assert len(expected) >= (last - first) / 10
    for rows in found:
        np.testing.assert_array_equal(rows, expected)
