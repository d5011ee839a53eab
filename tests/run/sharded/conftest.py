import contextlib

import pytest

import twinbrain as tb
from tests.examples import small_brain
from tests.roots import stored_files
from twinbrain.run.cluster.connect import connected
from twinbrain.spec.record import Record, StateRecord

RECORD = Record(
    state=(
        StateRecord(variable="v", neurons=2, interval="0.4 ms"),
        StateRecord(variable="v", population="relay", regions="TH-*"),
        StateRecord(variable="w", population="pyr", regions="CX-3"),
    )
)


@pytest.fixture
def client(local):
    return local


@pytest.fixture(scope="package")
def clients(local):
    """Return a client of a local cluster that has some number of workers; more than three are started when needed."""
    with contextlib.ExitStack() as stack:
        known = {}

        def of(n):
            if n > 3 and n not in known:
                known[n] = stack.enter_context(connected("local", workers=n))
            return known.get(n, local)

        yield of


@pytest.fixture(scope="session")
def run():
    """Run a brain of four regions for 30 ms, in three windows."""

    def call(out, model=None, **changes):
        options = {"duration": "30 ms", "window": "10 ms", "engine": "reference", "seed": 3, "record": RECORD}
        return tb.simulate(small_brain(4) if model is None else model, out=out, **(options | changes))

    return call


@pytest.fixture(scope="session")
def whole(run, tmp_path_factory):
    """The same run in one process, with each engine and duration."""
    folder = tmp_path_factory.mktemp("whole")
    known = {}

    def path(engine, duration="30 ms", window="10 ms"):
        key = (engine, duration)
        if key not in known:
            known[key] = folder / f"{engine} {duration}.zarr"
            run(known[key], engine=engine, duration=duration, window=window)
        return known[key]

    return path


@pytest.fixture(scope="session")
def same_files():
    """Check that two stores hold the same files, byte for byte, but for the name of their creation."""

    def check(one, other):
        found, expected = stored_files(one), stored_files(other)
        assert found.keys() == expected.keys()
        assert [name for name in found if found[name] != expected[name]] == []
        assert len(found) > 20

    return check
