"""Small right files of every kind, to be mutated, and how each kind is read."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import dask.array  # noqa: F401  (opening a store imports it)
import numpy as np
import xarray as xr
from scipy.io import savemat

import twinbrain as tb
from tests.examples import small_connectome
from tests.exchange.models import leaky_region
from twinbrain.cli.contents import _validate as validate
from twinbrain.cli.sweeps import sweep_facts
from twinbrain.cli.training import training_facts
from twinbrain.run.check import check_store
from twinbrain.run.open import open_run
from twinbrain.run.sweep.open import open_sweep
from twinbrain.store import Location, open_training_store, read_state
from twinbrain.store.info import run_info

REGION = """
name = "test/one"
summary = "Two populations."
references = ["10.1000/xyz123"]
[cells.exc]
model = "lif_current"
receptors = ["exponential_current"]
parameters = { C_m = "200 pF", E_L = { normal = ["-70 mV", "1 mV"], min = "-80 mV" } }
initial = { v = { file = "arrays.npz", array = "v", unit = "mV" } }
[cells.inh]
model = "lif_current"
receptors = ["exponential_current"]
[populations.exc]
cell = "exc"
size = 6
extent = ["1 mm", "1 mm", "1 mm"]
[populations.inh]
cell = "inh"
size = 3
transmitter = "gaba"
[[projections]]
source = "exc"
target = "inh"
receptor = "exponential_current"
connect = { probability = 0.5 }
weight = { lognormal = ["30 pA", 0.4], max = "90 pA" }
delay = "1.5 ms"
[[projections]]
source = "inh"
target = "exc"
receptor = "exponential_current"
connect = { pairs = { file = "arrays.npz", array = "pairs" } }
weight = { values = [-10.0, -20.0, -30.0], unit = "pA" }
delay = { uniform = ["1 ms", "2 ms"] }
[[drives]]
population = "exc"
receptor = "exponential_current"
rate = "100 Hz"
weight = "20 pA"
[[drives]]
population = "inh"
receptor = "exponential_current"
spikes = { file = "trains.csv", unit = "ms", weight = "20 pA" }
[[drives]]
population = "exc"
receptor = "current"
waveform = { file = "waveform.npy", unit = "pA", interval = "1 ms", repeat = true }
[ports]
outputs = ["exc"]
inputs = { inh = { share = 1.0, glutamate = "exponential_current", gaba = "exponential_current" } }
"""
WORKFLOW = """
name = "fuzzed"
[run]
duration = "20 ms"
dt = "0.1 ms"
window = "10 ms"
seed = 3
engine = "reference"
[brain]
connectome = "brain.csv"
normalisation = "max"
regions = { "R1" = { region = "region.toml", scale = 1.0 }, "*" = "region.toml" }
long_range = { in_degree = 2, weight = "10 pA", speed = "7 m/s" }
coupling = 1.5
[[stimuli]]
name = "pulse"
regions = "R*"
population = "exc"
receptor = "exponential_current"
rate = "50 Hz"
weight = "10 pA"
start = "5 ms"
duration = "5 ms"
[record]
rate_bin = "1 ms"
[[record.state]]
variable = "v"
population = "exc"
neurons = 2
interval = "1 ms"
"""
SWEEP = """
[sweep]
reduce = { mean_rates = {}, synchrony = {} }
[sweep.parameters]
"coupling" = { linear = [0.5, 2.0], n = 3 }
"run.seed" = { range = [0, 2] }
"""
PROFILE = """
queue = "normal"
walltime = "04:00:00"
cores = 4
memory = "16 GB"
gpus = 0
workers = 8
interface = "ib0"
directives = ["--constraint=skylake"]
"""


@dataclass(frozen=True)
class Kind:
    """Files of one kind: how right ones are written into a folder, how they are read, and which are mutated."""

    name: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]
    mutated: tuple[str, ...]
    threads: bool = False
    """Whether reading starts threads, which a fork does not take along."""

    def mutates(self, path: Path) -> bool:
        """Return whether a file of the folder is one to mutate."""
        return any(path.match(pattern) for pattern in self.mutated)


def write_region(folder: Path) -> None:
    """Write a region with all that it names."""
    (folder / "region.toml").write_text(REGION)
    (folder / "trains.csv").write_text("time,neuron\n1.0,0\n2.5,1\n3.0,0\n")
    np.save(folder / "waveform.npy", np.sin(np.arange(10.0)))
    np.savez(folder / "arrays.npz", v=np.linspace(-70, -60, 6), pairs=np.array([[0, 1, 2], [3, 4, 5]]))


def write_workflow(folder: Path, more: str = "") -> None:
    """Write a workflow of three regions with all that it names."""
    write_region(folder)
    tb.write_connectome(_connectome(), folder / "brain.csv")
    (folder / "workflow.toml").write_text(WORKFLOW + more)


def _connectome() -> tb.Connectome:
    n = 3
    return small_connectome(n).replace(
        labels=[f"R{i}" for i in range(1, n + 1)],
        centroids=np.arange(3.0 * n).reshape(n, 3),
        hemisphere=["left", "right", ""],
        cortical=[1, 0, 1],
        area=[1.0, 2.0, 3.0],
    )


def _write_connectome(suffix: str) -> Callable[[Path], object]:
    def write(folder: Path) -> object:
        connectome = _connectome().replace(hemisphere=None) if suffix == "zip" else _connectome()
        return tb.write_connectome(connectome, folder / f"brain.{suffix}")

    return write


def _write_mat(folder: Path) -> None:
    connectome = _connectome()
    cells = np.array(connectome.labels, dtype=object)
    given = {"sc": connectome.weight.values, "len": connectome.length.values, "labels": cells}
    savemat(folder / "brain.mat", {"brain": given}, do_compression=False)


def _write_matrix(folder: Path) -> None:
    np.savetxt(folder / "brain.txt", _connectome().weight.values)
    np.savetxt(folder / "brain_length.txt", _connectome().length.values, delimiter=",")
    (folder / "labels.tsv").write_text("index\tname\n1\tA\n2\tB\n3\tC\n")


def _read_connectome(suffix: str, **options: str) -> Callable[[Path], object]:
    return lambda folder: tb.read_connectome(folder / f"brain.{suffix}", **options)


def _write_store(folder: Path) -> None:
    write_workflow(folder)
    with chdir(folder):
        tb.simulate("workflow.toml", out="run.zarr")


def _read_store(folder: Path) -> None:
    run_info(folder / "run.zarr")
    read_state(folder / "run.zarr")
    open_run(folder / "run.zarr").load()
    check_store(folder / "run.zarr")


def _write_own(kind: str) -> Callable[[Path], object]:
    def write(folder: Path) -> object:
        from tests.attacks.damage import KINDS  # which imports torch

        return KINDS[kind](folder)

    return write


def _read_sweep_store(folder: Path) -> None:
    sweep_facts(Location.of(folder / "sweep.zarr"))
    open_sweep(folder / "sweep.zarr").load()
    check_store(folder / "sweep.zarr")


def _read_training_store(folder: Path) -> None:
    location = Location.of(folder / "training.zarr")
    training_facts(location)
    kept = open_training_store(location)
    kept.curves()
    kept.state()
    check_store(location)


def _read_sweep(folder: Path) -> None:
    from twinbrain.run.sweep.create import prepare_sweep

    prepare_sweep(tb.load_workflow(folder / "workflow.toml"), {})


def _write_circuit(folder: Path) -> None:
    tb.write_sonata(leaky_region("exponential_current"), folder / "circuit", seed=3)
    shutil.copy(folder / "circuit/components/inh.json", folder / "circuit/components/exc.json")


def _read_circuit(folder: Path) -> None:
    with warnings.catch_warnings(action="ignore", category=tb.ExchangeWarning):  # of names that were mutated
        tb.read_sonata(folder / "circuit")


xr.backends.list_engines()  # so does this, without a thread
TABLES = ("*.csv", "*.tsv", "*.txt")
KINDS = {
    kind.name: kind
    for kind in (
        Kind("region", write_region, lambda folder: validate(folder / "region.toml"), ("*.toml",)),
        Kind("arrays", write_region, lambda folder: validate(folder / "region.toml"), ("*.npz", "*.npy", "*.csv")),
        Kind("workflow", write_workflow, lambda folder: validate(folder / "workflow.toml"), ("workflow.toml",)),
        Kind("sweep", lambda folder: write_workflow(folder, SWEEP), _read_sweep, ("workflow.toml",)),
        Kind(
            "cluster profile",
            lambda folder: (folder / "profile.toml").write_text(PROFILE),
            lambda folder: validate(folder / "profile.toml"),
            ("*.toml",),
        ),
        *(
            Kind(f"connectome {suffix}", _write_connectome(suffix), _read_connectome(suffix), (f"*.{suffix}",))
            for suffix in ("zip", "npz", "mat", "graphml", "csv")
        ),
        Kind("connectome struct", _write_mat, _read_connectome("mat"), ("*.mat",)),
        Kind("connectome txt", _write_matrix, _read_connectome("txt", labels="labels.tsv"), TABLES),
        Kind(
            "nir",
            lambda folder: tb.write_nir(leaky_region(), folder / "model.nir", seed=3),
            lambda folder: tb.read_nir(folder / "model.nir"),
            ("*.nir",),
        ),
        Kind("sonata", _write_circuit, _read_circuit, ("*.json", "*.csv", "*.h5")),
        Kind("store documents", _write_store, _read_store, ("run.zarr/zarr.json",), threads=True),
        Kind("sweep documents", _write_own("sweep"), _read_sweep_store, ("sweep.zarr/zarr.json",), threads=True),
        Kind("training documents", _write_own("training"), _read_training_store, ("training.zarr/zarr.json",), True),
    )
}
