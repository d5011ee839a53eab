"""A network that is to learn is held against memory before it is built."""

import pytest

import twinbrain as tb
from twinbrain.learn.lower import lower


def test_a_network_that_does_not_fit_is_refused():
    region = tb.load_region("learning/leaky")
    with pytest.raises(tb.PlanError, match=r"expected a run that fits into 0.001 GB, found a plan of .* GB"):
        lower(region, dt=1.0, seed=1, memory_limit="1 MB")
    assert lower(region, dt=1.0, seed=1, memory_limit="8 GB").network.n_neurons == sum(
        population.size for population in region.populations.values()
    )
