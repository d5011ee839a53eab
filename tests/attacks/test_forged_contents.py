"""Contents of stores that a stranger wrote, with checksums that fit: one error of ours, and memory that is bounded."""

import json
import os
import shutil
import tracemalloc

import numpy as np
import pytest
from google_crc32c import value as crc32c
from numcodecs.zstd import Zstd
from zarr.core.sync import sync
from zarr.storage import MemoryStore

import twinbrain as tb
from tests.attacks import damage
from tests.learn.networks import recurrent
from twinbrain import plot
from twinbrain.store import Location, run_info
from twinbrain.store.arrays import array_at, encoded
from twinbrain.store.root import CHECKSUM, KEY, Root

DRIVE = tb.Drive(population="e", receptor="exponential_current", rate="8 kHz", weight="90 pA")
REGION = recurrent(drives=[DRIVE])
ZSTD = [
    {"name": "bytes", "configuration": {"endian": "little"}},
    {"name": "zstd", "configuration": {"level": 0, "checksum": False}},
    {"name": "crc32c"},
]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A run that is complete, with spikes, made once."""
    path = tmp_path_factory.mktemp("stores") / "run.zarr"
    options = {"engine": "reference", "seed": 1, "record": damage.RECORD, "progress": False}
    tb.simulate(REGION, out=path, duration="60 ms", window="20 ms", **options)
    return path


@pytest.fixture
def forge(stored, tmp_path):
    """Copy a store, let a function change its attributes and nodes, and put values into arrays."""

    def forged(change=lambda attributes, nodes: None, **values):
        path = tmp_path / "run.zarr"
        if not path.exists():
            shutil.copytree(stored, path)
        document = json.loads((stored / KEY).read_text())
        attributes, nodes = document["attributes"], document["consolidated_metadata"]["metadata"]
        del attributes[CHECKSUM]
        for name, new in values.items():
            put(path, name.replace("__", "/"), nodes, new)
        change(attributes, nodes)
        (path / KEY).write_bytes(Root(attributes, nodes).encode())
        return path

    return forged


def put(path, name, nodes, values):
    """Write all of an array as its metadata say, and its shape into these."""
    nodes[name]["shape"] = list(np.shape(values))
    kind = np.dtypes.StringDType() if nodes[name]["data_type"] == "string" else nodes[name]["data_type"]
    objects = sync(encoded(array_at(MemoryStore(), name, nodes[name]), 0, np.array(values, kind)))
    for key, data in objects.items():
        (path / name / key).write_bytes(data.to_bytes())


def with_checksum(path, body):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body + int(crc32c(body)).to_bytes(4, "little"))


@pytest.mark.parametrize("size", [[-5, 25], [0, 20], [2**40, 4], [2**62, 2**62], [16, 5]])
def test_populations_that_are_not_the_neurons_are_refused_where_a_run_is_opened(forge, size):
    path = forge(network__size=size)
    for read in (tb.open_run, lambda path: tb.resume(path, progress=False)):
        with pytest.raises(tb.StoreError, match="populations one after the other, of 20 neurons"):
            read(path)
    assert "one after the other" in tb.check_store(path).damaged[0].message


def test_populations_that_overlap_are_refused(forge):
    with pytest.raises(tb.StoreError, match="one after the other"):
        tb.open_run(forge(network__start=[0, 2**62]))


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("spikes__neuron", 20, "neurons from 0 to 19 in spikes/neuron"),
        ("spikes__neuron", -1, "neurons from 0 to 19 in spikes/neuron"),
        ("spikes__time_step", -1, "in the order of time, found others in spikes/time_step"),
        ("spikes__time_step", 10**6, "of steps 0 to .* where the index says, .* to 1000000 in spikes/time_step"),
        ("spikes__window_start", -1, "in the order of time, found others in spikes/window_start"),
        ("state__0_v_lif_current__neuron", 20, "neurons from 0 to 19 in state/0_v_lif_current/neuron"),
    ],
)
def test_what_counts_spikes_finds_none_of_neurons_and_steps_that_are_not_there(stored, forge, name, wrong, said):
    values = tb.open_run(stored)[name.replace("__", "/")].values.copy()
    values[-1] = wrong
    run = tb.open_run(path := forge(**{name: values}))
    if name in ("spikes__neuron", "spikes__time_step"):
        assert [damage.place for damage in tb.check_store(path).damaged] == [f"{path}/{name.replace('__', '/')}"]
    uses = [lambda: run.twin.state("v"), lambda: plot.traces(run, "v")]
    if name.startswith("spikes"):
        uses = [run.twin.summary, run.twin.cv_isi, run.twin.synchrony, run.twin.spikes, lambda: plot.raster(run)]
    for use in uses:
        with pytest.raises(tb.StoreError, match=said):
            use()


def test_populations_of_one_name_are_refused(forge):
    with pytest.raises(tb.StoreError, match=r"of different names in the run, found '.*/e' twice"):
        tb.open_run(forge(network__name=["e", "e"])).twin.summary()


@pytest.mark.parametrize("name", ["$\\x$", "a\x1b[31m\x00"])
def test_names_are_drawn_as_they_are(forge, tmp_path, name):
    def change(attributes, nodes):
        attributes["workflow"] = name
        stimulus = {"name": name, "start": "10 ms", "duration": "10 ms"}
        attributes["spec"] = json.dumps(json.loads(attributes["spec"]) | {"name": name, "stimuli": [stimulus]})

    run = tb.open_run(forge(change=change, network__name=[f"{name}1", f"{name}2"]))
    for figure in (plot.summary_figure(run), plot.traces(run, "v")):
        plot.save(figure, tmp_path / "figure.svg")


def test_a_formula_on_axes_that_are_given_stays_one(stored):
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    ax.set_title("$x^2$")
    plot.raster(tb.open_run(stored), ax=ax)
    assert ax.title.get_parse_math()
    assert not ax.xaxis.label.get_parse_math()


def test_half_a_character_is_refused(forge):
    def in_spec(attributes, nodes):
        attributes["spec"] = json.dumps(json.loads(attributes["spec"]) | {"name": "\ud800"})

    for change in (in_spec, lambda attributes, nodes: attributes.__setitem__("workflow", "\ud800")):
        with pytest.raises(tb.StoreError, match="half of a surrogate pair"):
            tb.open_run(forge(change=change))
    whole = forge(change=lambda attributes, nodes: attributes.__setitem__("twinbrain_version", "\U0001f9e0"))
    assert tb.open_run(whole).attrs["twinbrain_version"] == "\U0001f9e0"
    document = (whole / KEY).read_bytes()
    written = json.loads(document)["attributes"][CHECKSUM].encode()
    (whole / KEY).write_bytes(document.replace(written, rb"\ud800"))
    with pytest.raises(tb.StoreError, match="as its checksum confirms it"):
        tb.open_run(whole)


@pytest.mark.parametrize("packer", ["zstd", "blosc"])
def test_a_chunk_that_does_not_unpack_is_named_by_whoever_reads_it(forge, packer):
    name = {"zstd": "connectome/weight", "blosc": "rate/rate"}[packer]
    path = forge()
    for file in (path / name / "c").rglob("*"):
        if file.is_file() and packer == "zstd":
            with_checksum(file, file.read_bytes()[:-6])
        elif file.is_file():
            _break_shard(file)
    assert name in tb.check_store(path).damaged[0].place
    with pytest.raises(tb.StoreError, match=f"{name}/c/0/0: expected a chunk of the type and shape of its array"):
        tb.open_run(path)[name].load()


def _break_shard(file):
    """Break the first chunk of a shard, and give it a checksum that fits."""
    data = bytearray(file.read_bytes())
    n_chunks = next(
        n for n in range(1, 100_000) if crc32c(bytes(data[-16 * n - 4 : -4])).to_bytes(4, "little") == data[-4:]
    )
    start, length = np.frombuffer(bytes(data[-16 * n_chunks - 4 :][:16]), "<u8").tolist()
    body = data[start : start + 24] + b"\xff" * (length - 28)
    data[start : start + length] = body + int(crc32c(bytes(body))).to_bytes(4, "little")
    file.write_bytes(data)


def test_coordinates_that_take_much_memory_are_not_loaded_where_a_store_is_opened(forge, monkeypatch):
    n = 2**20

    def change(attributes, nodes):
        node = json.loads(json.dumps(nodes["connectome/weight"])) | {"shape": [3 * n], "dimension_names": ["q"]}
        node |= {"codecs": ZSTD, "attributes": {}}
        node["chunk_grid"]["configuration"]["chunk_shape"] = [n]
        nodes["connectome/q"] = node

    path = forge(change=change)
    for i in range(3):
        with_checksum(path / f"connectome/q/c/{i}", bytes(Zstd(1).encode(bytes(8 * n))))
    assert tb.open_run(path)["connectome"].sizes["q"] == 3 * n
    monkeypatch.setattr("twinbrain.store.verified.LARGEST_OPENED", 10_000_000)
    with pytest.raises(tb.StoreError, match=r"at most 10,000,000 bytes of memory together, found more in connectome/q"):
        tb.open_run(path)
    monkeypatch.setenv("TWINBRAIN_LARGEST_FILE", "1 GB")
    tb.open_run(path)


def test_a_file_of_another_array_in_place_of_the_times_is_noticed(forge):
    path = forge()
    shutil.copy(path / "spikes/window_start/c/0", path / "rate/time/c/0")
    with pytest.raises(tb.StoreError, match=r"rate/time: expected times in steps of 10 × 0\.1 ms, found others"):
        tb.open_run(path)
    assert "rate/time" in tb.check_store(path).damaged[0].place


def test_texts_of_which_a_chunk_claims_far_too_many_are_refused(forge):
    def change(attributes, nodes):
        nodes["connectome/target"]["chunk_grid"]["configuration"]["chunk_shape"] = [2**26 - 2]

    with pytest.raises(tb.StoreError, match="chunks of at most 4,194,304 texts"):
        tb.open_run(forge(change=change))


def test_a_root_document_is_confirmed_before_it_is_parsed(forge, monkeypatch):
    path = forge(change=lambda attributes, nodes: attributes.__setitem__("x", [[]] * 50_000))
    document = (path / KEY).read_bytes()
    limits = {"twinbrain.store.root.LARGEST_JSON": 100_000, "twinbrain.store.root.MOST_VALUES": 10_000}
    for name, limit in limits.items():
        (path / KEY).write_bytes(document.replace(b"[]", b"{}", 1) if name.endswith("JSON") else document)
        with monkeypatch.context() as patch:
            patch.setattr(name, limit)
            tracemalloc.start()
            for read in (tb.open_run, run_info):
                with pytest.raises(tb.StoreError, match="values that its checksum confirms, found"):
                    read(path)
            assert "that its checksum confirms" in tb.check_store(path).damaged[0].message
            assert tracemalloc.get_traced_memory()[1] < 4 * len(document)
            tracemalloc.stop()


@pytest.mark.parametrize("path", ["rate/time", "spikes/time_step"])
@pytest.mark.parametrize(
    ("name", "value"), [("units", "milliseconds"), ("units", "days since 2000-01-01"), ("dtype", "bool")]
)
def test_no_attribute_makes_other_values_of_what_is_recorded(forge, path, name, value):
    store = forge(change=lambda attributes, nodes: nodes[path]["attributes"].__setitem__(name, value))
    with pytest.raises(tb.StoreError, match=f"'{path}' as plain values, found the attribute {name}"):
        tb.open_run(store)


def test_odd_files_beside_a_run_are_no_faults_of_ours(forge):
    path = forge()
    folder, file = (path / f"{name}.{32 * '0'}.partial" for name in "xy")
    folder.mkdir()
    file.touch()
    Location.of(path).clean()
    assert folder.is_dir()
    assert not file.exists()
    os.symlink("x", path / "x")
    assert run_info(path).n_neurons == 20
