import numpy as np
import pytest
import xarray as xr

from twinbrain import analysis
from twinbrain.errors import StoreError

OF_SPIKES = {
    "spikes": analysis.spikes,
    "cv_isi": analysis.cv_isi,
    "synchrony": analysis.synchrony,
    "fano_factor": lambda run: analysis.fano_factor(run, "20 ms"),
    "summarise": analysis.summarise,
    "mean_rates": lambda run: analysis.mean_rates(run, start="0.5 ms"),
}
WINDOWS = [[0, 1, 2], [0, 0, 2, 3, 4, 5], [3, 4, 5], [0, 2, 4], [0], [], slice(None, None, -1)]


@pytest.fixture(scope="module", params=[100.0, 1000.0], ids=["windows", "one window"])
def run(request, helpers):
    """600 ms of ten neurons."""
    rng = np.random.default_rng(1)
    trains = [helpers.poisson(40, 600.0, rng) for _ in range(10)]
    return helpers.make_run([("A", "x/a", "e", "glutamate", 10)], trains, duration=600.0, window=request.param)


def selections(n):
    again = np.sort(np.random.default_rng(2).integers(n, size=n))
    parts = (slice(n // 2), slice(n // 2, None), slice(-5), slice(1, None), slice(None, None, 2), slice(None, None, -1))
    return [*parts, [], [0], again]


@pytest.mark.parametrize("name", OF_SPIKES)
def test_spikes_that_were_selected_are_not_taken_for_those_of_the_run(run, name):
    for taken in selections(run["spikes"].sizes["spike"]):
        for selected in (run.isel(spike=taken), run.isel(spike=taken, window=slice(0, 1))):
            with pytest.raises(StoreError, match=r"selected.* give the whole run, with start and stop"):
                OF_SPIKES[name](selected)


def test_spikes_of_two_runs_in_one_are_refused(run):
    spikes = run["spikes"].to_dataset()
    twice = run.copy()
    twice["spikes"] = xr.DataTree(xr.concat([spikes, spikes], "spike", data_vars="minimal").assign_attrs(spikes.attrs))
    with pytest.raises(StoreError, match=r"expected the \d+ spikes of the whole run, found \d+"):
        analysis.cv_isi(twice)


@pytest.mark.parametrize("windows", WINDOWS)
def test_an_index_of_selected_windows_misleads_nobody(run, windows):
    n = run["spikes"].sizes["window"]
    selected = run.isel(window=[i for i in windows if i < n] if isinstance(windows, list) else windows)
    messages = []
    for start in range(0, 600, 50):
        part = {"start": f"{start} ms", "stop": f"{start + 150} ms"}
        try:
            assert analysis.spikes(selected, **part).identical(analysis.spikes(run, **part))
        except StoreError as error:
            messages.append(str(error))
    assert all("if spikes or windows were selected, give the whole run" in message for message in messages)
    changed = selected["spikes/window_start"].values.tolist() != run["spikes/window_start"].values.tolist()
    assert bool(messages) == changed


def test_spikes_without_their_attributes_are_refused(run):
    untold = run.copy()
    untold["spikes"].attrs.clear()
    with pytest.raises(StoreError, match="expected the attribute 'window_steps' of the spikes"):
        analysis.spikes(untold)
