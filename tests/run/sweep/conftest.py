"""A workflow whose points run in milliseconds, and whose results say whether two runs are the same."""

import dask
import pytest
from distributed import Client, LocalCluster

import twinbrain as tb
from tests.examples import CORTEX, RELAY, region_data, small_connectome
from tests.run.conftest import lively
from twinbrain.run.sweep.points import point_workflow
from twinbrain.spec.brain import Brain, LongRange
from twinbrain.spec.load import as_workflow
from twinbrain.spec.record import Record, StateRecord
from twinbrain.spec.workflow import Workflow

QUICK = {"duration": "10 ms", "window": "10 ms", "engine": "reference"}
PULSE = {"name": "pulse", "regions": "TH-*", "population": "relay", "receptor": "ampa", "rate": "2 kHz"}
PULSE |= {"weight": "3 nS", "start": "1 ms", "duration": "3 ms"}


def declared(**run):
    """Return a workflow of two regions that spike from the first milliseconds on, with a stimulus and samples."""
    cortex, relay = region_data(CORTEX), region_data(RELAY)
    relay["drives"][0]["weight"], relay["drives"][1]["weight"] = "8 nS", "400 pA"
    for drive in cortex["drives"]:
        drive["weight"] = "4 nS"
    brain = Brain(
        name="small",
        connectome=small_connectome(2),
        regions={"TH-*": tb.Region.parse(relay), "CX-*": tb.Region.parse(cortex)},
        long_range=LongRange(in_degree=10, weight="0.4 nS", inhibitory_weight="1 nS", speed="7 m/s"),
    )
    options = {"duration": "10 ms", "window": "5 ms", "engine": "brian2-numpy", "seed": 3} | run
    record = Record(state=(StateRecord(variable="v", neurons=2, interval="1 ms"),))
    return Workflow.parse({"name": "small", "brain": brain, "stimuli": [PULSE], "run": options, "record": record})


@pytest.fixture(scope="session")
def workflow():
    return declared()


@pytest.fixture
def out(tmp_path):
    return tmp_path / "sweep.zarr"


@pytest.fixture
def sweep(out):
    """Sweep a lively region for 10 ms in this process."""

    def call(model=None, **options):
        swept = {key for table in options.get("together", ()) for key in table}
        quick = {key: value for key, value in QUICK.items() if key not in swept}
        return tb.sweep(model or lively(), **({"out": out, "workers": 0} | quick | options))

    return call


def n_spikes(run):
    return run["spikes"].sizes["spike"]


def simulated(folder, values):
    workflow = point_workflow(as_workflow(lively()), QUICK | values)
    return tb.simulate(workflow, out=folder / "run.zarr", overwrite=True)


def fails_at(seed):
    def moody(run):
        # Early checks see no spikes.
        if run.attrs["seed"] == seed and run["spikes"].sizes["spike"]:
            raise ZeroDivisionError("no luck")
        return run["spikes"].sizes["spike"]

    return moody


@pytest.fixture
def client(cluster_client):
    """A client of two workers that are there."""
    try:
        cluster_client.wait_for_workers(2, timeout=30)
    except TimeoutError:
        # A nanny whose worker is killed while it still starts gives up.
        cluster_client.cluster.scale(len(cluster_client.cluster.worker_spec) + 1)
        cluster_client.wait_for_workers(2, timeout=120)
    return cluster_client


@pytest.fixture(scope="package")
def cluster_client():
    """A client of two workers; a task whose worker has died twice is given up."""
    # As a cluster of ours, it looks at its processes seldom: else those that wait take a share of a core.
    quiet = {"distributed.admin.tick.interval": "500ms", "distributed.worker.profile.enabled": False}
    with (
        dask.config.set(quiet | {"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=None, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client
