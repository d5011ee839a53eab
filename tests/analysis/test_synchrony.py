import numpy as np
import pytest

from twinbrain.analysis import fano_factor, synchrony
from twinbrain.analysis.counts import count_moments, standardised_variance
from twinbrain.analysis.grouping import group_by
from twinbrain.analysis.tree import clock
from twinbrain.errors import SpecError, UnitError


def counts_of(run, bin_steps, n_bins):
    counts = np.zeros((n_bins, int(run["network"]["size"].sum())))
    step, neuron = run["spikes"]["time_step"].values, run["spikes"]["neuron"].values
    kept = step < bin_steps * n_bins
    np.add.at(counts, (step[kept] // bin_steps, neuron[kept]), 1)
    return counts


def test_neurons_that_fire_alike_are_fully_synchronous(run):
    for measure in ("chi", "correlation"):
        assert synchrony(run, measure=measure).sel(population="B/tc").item() == pytest.approx(1, abs=1e-12)


def test_independent_neurons_have_chi_of_1_by_root_n(run):
    chi2 = synchrony(run).sel(population="A/pyr").item() ** 2
    # The variance of the mean count, estimated from 6666 bins, has a relative standard error of sqrt(2 / 6666).
    assert abs(chi2 * 40 - 1) < 4 * np.sqrt(2 / 6666)


def test_independent_neurons_are_not_correlated(run):
    correlation = synchrony(run, measure="correlation").sel(population="A/pyr").item()
    assert abs(correlation) < 4 * np.sqrt(2 / 6666) / 39


def test_a_known_share_of_common_spikes_is_the_correlation(make_run, helpers):
    # Each neuron copies each spike of one source with probability p: counts of two correlate by p.
    rng = np.random.default_rng(3)
    source, p = helpers.poisson(50, 50_000.0, rng), 0.3
    trains = [source[rng.random(len(source)) < p] for _ in range(30)]
    run = make_run([("A", "x/a", "e", "glutamate", 30)], trains, duration=50_000.0)
    assert synchrony(run, bin="5 ms", measure="correlation").item() == pytest.approx(p, abs=0.02)


def unlike(make_run, helpers):
    """Return a run whose neurons copy a source with unlike probabilities, and fire alone at unlike rates."""
    rng = np.random.default_rng(4)
    source = helpers.poisson(20, 20_000.0, rng)
    shares, rates = np.linspace(0.05, 0.9, 8), np.linspace(40, 2, 8)
    trains = [
        np.unique(np.concatenate([source[rng.random(len(source)) < p], helpers.poisson(r, 20_000.0, rng)]))
        for p, r in zip(shares, rates, strict=True)
    ]
    return make_run([("A", "x/a", "e", "glutamate", 9)], [*trains, []], duration=20_000.0)


def test_the_correlation_is_the_mean_over_pairs(make_run, helpers):
    run = unlike(make_run, helpers)
    counts = counts_of(run, 50, 4000)[:, :8]  # the ninth neuron is silent
    pairs = np.corrcoef(counts.T)[np.triu_indices(8, 1)]
    found = synchrony(run, bin="5 ms", measure="correlation")
    assert found.item() == pytest.approx(pairs.mean(), rel=1e-9)
    assert found.attrs["long_name"] == "mean correlation of pairs of counts"


def test_the_pooled_correlation_is_the_mean_covariance_over_the_mean_variance(make_run, helpers):
    run = unlike(make_run, helpers)
    covariance = np.cov(counts_of(run, 50, 4000).T, bias=True)
    expected = covariance[np.triu_indices(9, 1)].mean() / np.diag(covariance).mean()
    found = synchrony(run, bin="5 ms", measure="pooled_correlation").item()
    assert found == pytest.approx(expected, rel=1e-9)
    assert abs(found - synchrony(run, bin="5 ms", measure="correlation").item()) > 0.02


@pytest.mark.parametrize("spikes_at_once", [1, 1000])
def test_the_correlation_does_not_depend_on_how_much_is_read_at_once(run, spikes_at_once):
    grouping, time = group_by(run, "region"), clock(run)
    moments = count_moments(run, grouping, time, "7 ms")
    whole = standardised_variance(run, grouping, time, "7 ms", moments)
    parts = standardised_variance(run, grouping, time, "7 ms", moments, spikes_at_once=spikes_at_once)
    np.testing.assert_array_equal(whole, parts)


def test_silence_has_no_synchrony(run):
    assert np.isnan(synchrony(run).sel(population="B/silent"))


def test_a_single_neuron_correlates_with_nothing(make_run):
    run = make_run([("A", "x/a", "e", "glutamate", 1)], [[0, 70]], duration=100.0)
    assert synchrony(run).item() == pytest.approx(1)
    assert np.isnan(synchrony(run, measure="correlation"))


@pytest.mark.parametrize("spikes_at_once", [1, 1000, 10**9])
def test_moments_equal_those_of_the_matrix_of_counts(run, spikes_at_once):
    grouping = group_by(run, "region")
    found = count_moments(run, grouping, clock(run), "7 ms", spikes_at_once=spikes_at_once)
    counts = counts_of(run, 70, 2857)
    np.testing.assert_allclose(found.neuron_mean, counts.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.neuron_variance, counts.var(axis=0), rtol=1e-9, atol=1e-15)
    both = np.stack([counts[:, :50].sum(axis=1), counts[:, 50:].sum(axis=1)])
    np.testing.assert_allclose(found.group_variance, both.var(axis=1), rtol=1e-9)


def test_synchrony_by_region_compares_all_its_neurons(run):
    counts = counts_of(run, 30, 6666)[:, :50]
    expected = np.sqrt(counts.mean(axis=1).var() / counts.var(axis=0).mean())
    assert synchrony(run, by="region").sel(region="A").item() == pytest.approx(expected)


def test_fano_factor_is_1_for_poisson_and_0_for_regular_trains(run):
    fano = fano_factor(run, bin="200 ms")
    assert abs(fano.sel(population="A/pyr") - 1) < 4 * np.sqrt(2 / 100 / 40)
    assert fano.sel(population="A/pv") == 0
    assert np.isnan(fano.sel(population="B/silent"))


def test_results_carry_units_names_and_the_bin(run):
    assert synchrony(run, bin="5 ms").attrs == {"long_name": "synchrony chi", "units": "1", "bin": "5 ms"}
    assert fano_factor(run).attrs["units"] == "1"


def test_what_cannot_be_is_refused(run):
    with pytest.raises(UnitError, match=r"bin as a multiple of the time step of 0.1 ms, found '0.25 ms'"):
        synchrony(run, bin="0.25 ms")
    with pytest.raises(UnitError, match="at least 2 bins of 15 s, found 20000 ms"):
        synchrony(run, bin="15 s")
    with pytest.raises(SpecError, match="unknown measure 'chi2'; did you mean 'chi'"):
        synchrony(run, measure="chi2")
