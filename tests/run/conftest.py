import signal

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import RELAY, region_data
from twinbrain.run.cluster.connect import connected, workers_ready
from twinbrain.spec.record import Record, StateRecord

RECORD = Record(state=(StateRecord(variable="v", neurons=2, interval="0.4 ms"), StateRecord(variable="g_gaba_a")))


def lively():
    """Return a region of 28 neurons that spike from the first milliseconds on."""
    data = region_data(RELAY)
    data["drives"][0]["weight"], data["drives"][1]["weight"] = "8 nS", "400 pA"
    return tb.Region.parse(data)


def run(out, model=None, **changes):
    options = {"duration": "30 ms", "window": "10 ms", "engine": "reference", "seed": 3, "record": RECORD}
    return tb.simulate(model or lively(), out=out, **(options | changes))


@pytest.fixture(scope="session")
def contents(whole):
    """Return all that a run holds as plain values: what is recorded, the checkpoints, the network."""
    known = values(whole)
    return lambda tree: known if tree is whole else values(tree)


def values(tree):
    return {
        f"{node.path}/{name}": (str(variable.dtype), variable.values.tolist())
        for node in tree.load().subtree
        for name, variable in node.to_dataset(inherit=False).variables.items()
    }


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The run of `simulate`, uninterrupted."""
    return run(tmp_path_factory.mktemp("whole") / "run.zarr")


@pytest.fixture(scope="package")
def local():
    """A client of a local cluster of three workers that no test changes."""
    with connected("local", workers=3) as client:
        workers_ready(client, 3)
        yield client


@pytest.fixture
def simulate(tmp_path):
    """Run 30 ms of a lively region in the reference engine, or what is asked for instead."""

    def call(name="run.zarr", **changes):
        return run(tmp_path / name, **changes)

    return call


@pytest.fixture
def interrupt_at():
    """Return a progress function that presses Ctrl-C, once or more often, when some step is reached."""

    def make(step, n_times=1, what="simulate"):
        def progress(doing, done, total):
            if doing == what and done == step:
                for _ in range(n_times):
                    signal.raise_signal(signal.SIGINT)

        return progress

    return make


@pytest.fixture
def same(contents):
    def check(one, other):
        one, other = contents(one), contents(other)
        assert one.keys() == other.keys()
        for name in one:
            if one[name] != other[name]:  # or is NaN; numpy takes long to compare lists
                np.testing.assert_equal(one[name], other[name], err_msg=name)

    return check
