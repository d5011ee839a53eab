"""Rates of the shipped brain at rest follow its connectome, and not another one."""

import pytest

from tests.benchmarks.resting_state import CASES, measure, run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Half a minute of each case; over a minute and five seeds, see docs/reference/resting_state.md."""
    folder = tmp_path_factory.mktemp("runs")
    return {case: measure(run(case, 1, "30 s", folder / f"{case}.zarr")) for case in CASES}


def test_correlations_of_rates_follow_the_connectome(found):
    assert found["as shipped"]["r"] > 0.3
    # Of 4,560 pairs, chance gives 0.015, and a little more as pairs share regions.
    assert abs(found["coupling 0"]["r"]) < 0.1
    assert found["as shipped"]["r"] > found["rewired"]["r"] + 0.15


def test_no_population_is_silent_or_runs_away(found):
    rates = found["as shipped"]
    assert 2 < rates["cortex/pyr"] < 8
    assert rates["lowest population"] > 0.1
    assert found["coupling 0"]["cortex/pyr"] < 0.8 * rates["cortex/pyr"]
