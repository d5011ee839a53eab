import json

import numpy as np
import pytest
import xarray as xr

from twinbrain.analysis import connectome, functional_connectivity, structure_function, tells_correlations
from twinbrain.errors import ConnectomeError, UnitError
from twinbrain.spec.connectome import Connectome


@pytest.fixture
def mixed(make_run):
    """Counts a bin of A, B, C and D: B follows A, C turns it round, and D is A and something of its own."""
    rng = np.random.default_rng(2)
    a, own = rng.integers(0, 40, 400), rng.integers(0, 40, 400)
    counts = {"A": a, "B": a, "C": 40 - a, "D": a + own, "E": np.full(400, 9)}
    trains = [np.concatenate([bin * 1000 + np.arange(n) * 10 for bin, n in enumerate(c)]) for c in counts.values()]
    run = make_run([(label, "x/a", "e", "glutamate", 1) for label in counts], trains, duration=40_000.0)
    return run, counts


def test_correlations_are_those_of_the_mixture(mixed):
    run, counts = mixed
    found = functional_connectivity(run, bin="100 ms")
    assert found.sel(target="A", source="B").item() == pytest.approx(1)
    assert found.sel(target="A", source="C").item() == pytest.approx(-1)
    assert found.sel(target="A", source="D").item() == pytest.approx(np.corrcoef(counts["A"], counts["D"])[0, 1])
    assert found.sel(target="A", source="D").item() == pytest.approx(np.sqrt(0.5), abs=0.05)


def test_it_is_symmetric_with_a_diagonal_of_1(mixed):
    found = functional_connectivity(mixed[0]).sel(target=list("ABCD"), source=list("ABCD"))
    assert found.dims == ("target", "source")
    np.testing.assert_array_equal(found, found.values.T)
    np.testing.assert_array_equal(np.diag(found), 1)


def test_it_tells_the_bins_that_were_taken(mixed):
    told = [functional_connectivity(mixed[0], "100 ms", *window).attrs for window in [(), ("1 s", "2.05 s")]]
    assert [(attrs["start"], attrs["stop"]) for attrs in told] == [("0 ms", "40000 ms"), ("1000 ms", "2000 ms")]


def test_a_constant_rate_correlates_with_nothing(mixed):
    found = functional_connectivity(mixed[0])
    assert np.isnan(found.sel(target="E")).all()
    assert np.isnan(found.sel(source="E")).all()


def test_independent_regions_are_uncorrelated_within_the_standard_error(make_run, helpers):
    rng = np.random.default_rng(4)
    trains = [helpers.poisson(50, 60_000.0, rng) for _ in range(6)]
    run = make_run([(label, "x/a", "e", "glutamate", 1) for label in "ABCDEF"], trains, duration=60_000.0)
    found = functional_connectivity(run).values[np.triu_indices(6, 1)]
    assert (abs(found) < 4 / np.sqrt(600)).all()


def test_too_few_bins_are_refused(mixed):
    with pytest.raises(UnitError, match="at least 3 bins of 100 ms, found 2; take a shorter bin"):
        functional_connectivity(mixed[0], stop="250 ms")


def test_pairs_are_compared_with_both_directions_of_their_connection(make_run, mixed):
    weight = np.zeros((5, 5))
    weight[0, 1], weight[1, 0], weight[0, 3] = 4.0, 2.0, 1.0  # A and B go together, A and D by half
    found = structure_function(mixed[0], connectome=Connectome(weight, np.zeros((5, 5)), "ABCDE"))
    assert found.sizes["pair"] == 6  # E is constant
    pair = found.isel(pair=0)
    assert (pair["target"].item(), pair["source"].item(), pair["weight"].item()) == ("A", "B", 3.0)
    function = functional_connectivity(mixed[0]).sel(target=list("ABCD"), source=list("ABCD")).values
    structure = ((weight + weight.T) / 2)[:4, :4]
    upper = np.triu_indices(4, 1)
    assert found["r"].item() == pytest.approx(np.corrcoef(structure[upper], function[upper])[0, 1])


def test_a_connectome_of_other_regions_is_refused(mixed):
    with pytest.raises(
        ConnectomeError, match="connectome: expected the regions of the run, found none called 'D', 'E'"
    ):
        structure_function(mixed[0], connectome=Connectome(np.ones((3, 3)), np.zeros((3, 3)), "ABC"))


def test_a_run_is_compared_with_its_own_connectome(make_run, helpers):
    rng = np.random.default_rng(3)
    trains = [helpers.poisson(50, 10_000.0, rng) for _ in range(3)]
    connectome = Connectome(np.arange(9.0).reshape(3, 3), np.ones((3, 3)), "ABC")
    run = make_run([(x, "x/a", "e", "glutamate", 1) for x in "ABC"], trains, duration=10_000.0, connectome=connectome)
    assert structure_function(run)["weight"].values.tolist() == [2.0, 4.0, 6.0]


def test_weights_that_are_all_alike_explain_nothing(mixed):
    connectome = Connectome(np.ones((5, 5)), np.zeros((5, 5)), "ABCDE")
    assert np.isnan(structure_function(mixed[0], connectome=connectome)["r"])


def test_short_runs_and_single_regions_tell_no_correlations(mixed, make_run, helpers):
    assert tells_correlations(mixed[0])
    assert not tells_correlations(mixed[0], stop="4.9 s")
    assert not tells_correlations(mixed[0], stop="50 ms")
    rng = np.random.default_rng(1)
    alone = make_run([("A", "x/a", "e", "glutamate", 1)], [helpers.poisson(9, 9_000.0, rng)], duration=9_000.0)
    assert not tells_correlations(alone)


def test_connections_are_weighed_as_they_were_simulated(make_run, mixed):
    """A store holds raw weights; of these, rows here have very different sums."""
    weight = np.random.default_rng(5).lognormal(0, 2, (5, 5))
    np.fill_diagonal(weight, 0)
    raw = Connectome(weight, np.zeros((5, 5)), "ABCDE")
    run = mixed[0].copy()
    run["connectome"] = xr.DataTree(raw.to_dataset())
    run.attrs["spec"] = json.dumps({"brain": {"normalisation": "row"}})
    inputs = weight / weight.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(connectome(run).weight, inputs)
    pair = structure_function(run).isel(pair=0)
    assert float(pair["weight"]) == pytest.approx((inputs[0, 1] + inputs[1, 0]) / 2)


def test_rates_that_differ_by_their_rounding_alone_have_no_correlation(make_run):
    # Every neuron fires once in each 100 ms, at changing times; rates of thirds are rounded where they are kept.
    rng = np.random.default_rng(1)
    sizes = {"A": 3, "B": 3, "C": 7}
    trains = [np.arange(60) * 1000 + 10 * rng.integers(0, 3, 60) for _ in range(13)]
    run = make_run([(label, "x/a", "e", "glutamate", n) for label, n in sizes.items()], trains, duration=6000.0)
    assert np.isnan(functional_connectivity(run, "100 ms")).all()


@pytest.mark.parametrize("weight", [0.1, 0.3, 1 / 3])
def test_weights_that_are_all_alike_go_together_with_nothing(make_run, helpers, weight):
    rng, labels = np.random.default_rng(3), list("ABCD")
    uniform = Connectome(weight * (1 - np.eye(4)), 1 - np.eye(4), labels)
    trains = [helpers.poisson(20, 2000.0, rng) for _ in labels]
    run = make_run(
        [(label, "x/a", "e", "glutamate", 1) for label in labels], trains, duration=2000.0, connectome=uniform
    )
    assert np.isnan(structure_function(run)["r"])
