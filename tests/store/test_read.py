import os
import time

import numpy as np
import pytest

from twinbrain.errors import TwinbrainError
from twinbrain.store import open_run, read_spikes, run_info


@pytest.fixture(scope="module")
def run(example, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run.zarr"
    example.commit(example.create(path), range(9))
    return path


@pytest.fixture(scope="module")
def everything(run):
    return open_run(run)["spikes"].to_dataset().load()


WINDOWS = [(None, None), (0, 630), (100, 200), (99.9, 100.1), (123.4, 456.7), (500, None), (None, 500), (600, 9999)]
EMPTY = [(200, 200), (300, 200), (9999, None), (-50, 0), (None, -1)]


@pytest.mark.parametrize(("start", "stop"), WINDOWS + EMPTY)
@pytest.mark.parametrize("opened", [False, True])
def test_spikes_of_a_time_window_are_those_at_or_after_its_start_and_before_its_stop(
    run, everything, opened, start, stop
):
    time = everything["time_step"] * 0.1
    first, last = -np.inf if start is None else start - 1e-6, np.inf if stop is None else stop - 1e-6
    expected = everything[["time_step", "neuron"]].isel(spike=((time >= first) & (time < last)).values)
    found = read_spikes(open_run(run) if opened else run, start, stop)
    np.testing.assert_array_equal(found["time_step"], expected["time_step"])
    np.testing.assert_array_equal(found["neuron"], expected["neuron"])
    assert (found.sizes["spike"] == 0) == ((start, stop) in EMPTY)


def test_a_run_that_is_opened_tells_how_many_spikes_it_has(run, example, path):
    spikes = open_run(run)["spikes"]
    assert spikes.attrs["n_spikes"] == spikes.sizes["spike"] > 0
    example.commit(example.create(path), range(0))
    assert open_run(path)["spikes"].attrs["n_spikes"] == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_forked_process_reads_what_its_parent_has_opened_and_read(run):
    tree = open_run(run)
    expected = tree["spikes/neuron"].values.sum()
    process = os.fork()
    if not process:
        os._exit(int(tree["spikes/neuron"].values.sum() != expected))
    for _ in range(200):
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            break
        time.sleep(0.05)
    else:
        os.kill(process, 9)
        os.waitpid(process, 0)
    assert ended, "the process waits for threads that it does not have"
    assert os.waitstatus_to_exitcode(status) == 0


def test_spikes_of_a_run_without_windows_are_none(example, path):
    example.create(path)
    assert read_spikes(path, 0, 100).sizes == {"spike": 0}


def test_info_says_what_the_run_is(example, run):
    info = run_info(run)
    assert (info.path, info.workflow, info.engine, info.status) == (run, "example", "reference", "running")
    assert (info.seed, info.dt, info.duration, info.window) == (7, 0.1, 7000.0, 70.0)
    assert info.committed == pytest.approx(630.0)
    assert (info.n_neurons, info.n_synapses, info.probes) == (50, 100, ("v_adex", "w"))
    assert info.n_spikes == sum(len(example.window(k).neuron) for k in range(9))
    assert info.n_bytes == sum(file.stat().st_size for file in run.rglob("*") if file.is_file())
    assert sum(info.n_bytes_of.values()) == info.n_bytes - (run / "zarr.json").stat().st_size
    assert (info.version, info.digest, info.versions) == ("0.1.0", "abc", {"numpy": np.__version__})
    assert info.to_dict()["path"] == str(run)


def test_a_fault_in_a_setting_is_not_one_of_the_run(run, monkeypatch):
    monkeypatch.setenv("TWINBRAIN_LARGEST_FILE", "xx")
    with pytest.raises(TwinbrainError, match=r"TWINBRAIN_LARGEST_FILE: expected an amount .*, found 'xx'"):
        run_info(run)
