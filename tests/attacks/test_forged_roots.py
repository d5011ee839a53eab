"""Root documents that a stranger wrote, with a checksum that fits: one error of ours, or nothing at all."""

import dataclasses
import json
import os
import shutil
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest

import twinbrain as tb
from tests.attacks import damage
from twinbrain.cli.sweeps import sweep_facts
from twinbrain.cli.training import training_facts
from twinbrain.run.sweep.sweep import resumable
from twinbrain.store import Location, WindowData, open_training_store, read_state, resume_run, run_info
from twinbrain.store.claim import claimed
from twinbrain.store.root import CHECKSUM, KEY, Root

HUGE = 2**60
SCHEMAS = {"run": "rate/rate", "sweep": "mean_rates", "training": "curves/loss"}
"""An array of each kind, sharded in runs."""
TEXTS = {"run": "network/label", "sweep": "error", "training": "curves/split"}
STATE = "checkpoint/odd"


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A store of each kind, not complete, made once."""
    folder = tmp_path_factory.mktemp("stores")
    return {kind: damage.KINDS[kind](folder).path for kind in SCHEMAS}


@pytest.fixture
def forged(stores, tmp_path):
    """Copy a store, and let a function change its attributes and nodes."""

    def forge(kind, change):
        path = tmp_path / f"{kind}.zarr"
        if not path.exists():
            shutil.copytree(stores[kind], path)
        document = json.loads((stores[kind] / KEY).read_text())
        attributes, nodes = document["attributes"], document["consolidated_metadata"]["metadata"]
        del attributes[CHECKSUM]
        change(attributes, nodes)
        (path / KEY).write_bytes(Root(attributes, nodes).encode())
        return path

    return forge


READERS = {
    "run": (run_info, read_state, lambda path: tb.open_run(path).load(), resume_run),
    "sweep": (
        lambda path: sweep_facts(Location.of(path)),
        lambda path: tb.open_sweep(path).load(),
        lambda path: resumable(Location.of(path), ()),
    ),
    "training": (
        lambda path: training_facts(Location.of(path)),
        lambda path: damage._read_training(path),
        lambda path: tb.resume_training(path, task=damage.TASK, progress=False),
    ),
}


def attribute(name, value):
    return lambda attributes, nodes: attributes.__setitem__(name, value)


def without(name):
    return lambda attributes, nodes: attributes.pop(name)


def node(name, key, value):
    return lambda attributes, nodes: nodes[name].__setitem__(key, value)


def own(name, key, value):
    return lambda attributes, nodes: nodes[name]["attributes"].__setitem__(key, value)


def lost(name):
    return lambda attributes, nodes: nodes.pop(name)


def moved(name, new):
    return lambda attributes, nodes: nodes.__setitem__(new, nodes.pop(name))


def spec(change):
    def forge(attributes, nodes):
        data = json.loads(attributes["spec"])
        change(data)
        attributes["spec"] = json.dumps(data)

    return forge


def twice_as_slow(attributes, nodes):
    """Claim a time step of twice the length, in half the steps; all but the spec and the spikes agree."""
    attributes["dt"] *= 2
    for group, key in (("rate", "bin_steps"), ("spikes", "window_steps"), ("spikes/window_start", "window_steps")):
        nodes[group]["attributes"][key] //= 2
    for path, found in nodes.items():
        if path.startswith("state/") and found["node_type"] == "group":
            found["attributes"]["every"] //= 2
    nodes[f"checkpoint/{attributes['checkpoint']}"]["attributes"]["step"] //= 2


OF_TIME = ("seed", "dt", "duration", "committed", "window")
NOT_JSON = ("", "{", "[]", "null", "[" * 100_000, '{"a": NaN}', 3, None, {"a": 1})
NOT_NUMBERS = (None, True, "1", -1, float("nan"), float("inf"), 10**400, [1])
WRONG = {
    "run": [
        *(attribute(name, value) for name in ("spec", "breakdown") for value in NOT_JSON),
        *(
            attribute(name, value)
            for name in ("seed", "dt", "duration", "committed", "window")
            for value in NOT_NUMBERS
        ),
        *(attribute("checkpoint", value) for value in ("../..", "odd/x", "other", "", "even", None, ["odd"])),
        *(attribute(name, 3) for name in ("status", "workflow", "engine", "digest", "twinbrain_version", "device")),
        *(attribute("committed", value) for value in (0.0, 30.0, 1e300, 5e-324)),
        *(attribute(*other) for other in (("seed", 99), ("engine", "brian2"), ("duration", 77.0), ("window", 5.0))),
        *(attribute(*other) for other in (("workflow", "other"), ("precision", "float32"))),
        twice_as_slow,
        attribute("status", "failed"),
        *(without(name) for name in ("status", "workflow", "dt", "spec", "checkpoint", "versions")),
        *(lost(name) for name in ("network", "connectome", "rate", "rate/time", "spikes/neuron", "state", STATE)),
        *(lost(name) for name in ("network/size", f"{STATE}/under_way_step", f"{STATE}/under_way_neuron")),
        *(own(STATE, "step", value) for value in (399, "400", True, None)),
        *(own(STATE, "last_rows", value) for value in ([], {"rate/rate": "x"}, {"rate/rate": 2**40})),
        own(STATE, "fingerprint", 3),
        own("network", "n_neurons", "20"),
        own("rate", "bin_steps", 0),
        own("state/0_v_lif_current", "every", 0),
        own("state/0_v_lif_current", "variable", "../../rate/rate"),
        node("spikes/time_step", "shape", [HUGE]),
        node(f"{STATE}/lif_current%2Fv", "data_type", "int64"),
        node("network/size", "data_type", "string"),
    ],
    "sweep": [
        *(attribute(name, value) for name in ("axes", "shapes") for value in NOT_JSON),
        *(attribute(name, value) for name in ("n_points", "batch") for value in (*NOT_NUMBERS, 0, 1, 1.0, HUGE)),
        *(attribute("dims", value) for value in (None, "seed", [], ["seed"], ["seed", "seed"], [3, []])),
        *(attribute("shapes", f'{{"mean_rates": {value}}}') for value in ("[2]", "[-1]", "[1.0]", '"x"', f"[{HUGE}]")),
        *(attribute("axes", json.dumps(value)) for value in ([], [3], [{"name": "a"}], [{"name": 3, "columns": {}}])),
        *(attribute("functions", json.dumps(value)) for value in ({"task": 3}, {"reduce": {"a": {"sha256": 3}}})),
        *(attribute("functions", json.dumps({"reduce": {"a": {"given": value}}})) for value in NOT_JSON),
        *(without(name) for name in ("n_points", "created", "digest", "dims", "shapes")),
        *(lost(name) for name in ("status", "error", "seconds", "mean_rates", "connectome", "connectome/weight")),
        node("status", "shape", [HUGE]),
        own("seed", "axis", "other"),
        *(spec(lambda data, key=key: data.pop(key)) for key in ("run", "sweep", "train")),
        spec(lambda data: data.__setitem__("train", 3)),
        spec(lambda data: data["run"].__setitem__("device", 3)),
    ],
    "training": [
        *(attribute(name, value) for name in ("versions", "task_function") for value in NOT_JSON),
        *(attribute(name, value) for name in ("epochs", "epochs_done", "seed") for value in NOT_NUMBERS),
        *(attribute("task_function", json.dumps(value)) for value in ({"a": 3}, {"a": {"file": 3}}, {"a": [1]})),
        attribute("task_function", json.dumps({"a": {"given": "[" * 100_000}})),
        *(attribute("epochs_done", value) for value in (0, 4, HUGE)),
        *(attribute("checkpoint", value) for value in ("../..", "", None, 3)),
        *(attribute(name, 3) for name in ("task", "rule", "task_digest", "task_given", "error")),
        attribute("epochs", HUGE),
        *(attribute(*other) for other in (("seed", 99), ("rule", "eprop"), ("task", "xor"), ("workflow", "other"))),
        attribute("status", "complete"),
        attribute("best_loss", "x"),
        *(lost(name) for name in ("curves", "connectome", STATE)),
        node("curves/loss", "dimension_names", None),
        lambda attributes, nodes: nodes.__setitem__("curves/x", nodes["curves"]),
        *(spec(lambda data, value=value: data.__setitem__("train", value)) for value in (None, 3, {}, {"task": {}})),
    ],
}
OF_ANY = [
    *(
        lambda name, value=value: node(name, "shape", value)
        for value in ([HUGE, 1], [-1, 2], [True, 2], [], "x", [1e3])
    ),
    *(lambda name, value=value: node(name, "data_type", value) for value in ("object", "int4096", {"name": "x"}, None)),
    *(lambda name, value=value: node(name, "dimension_names", value) for value in (["a"], [3, "b"], "ab", [None] * 2)),
    *(lambda name, value=value: node(name, "fill_value", value) for value in ("x", [], None, HUGE * HUGE * HUGE**20)),
    *(lambda name, value=value: node(name, "codecs", value) for value in ([], {}, [3], [{"name": "pickle"}], None)),
    lambda name: node(name, "codecs", [{"name": "bytes"}, {"name": "numcodecs.pickle"}, {"name": "crc32c"}]),
    lambda name: node(name, "codecs", [{"name": "bytes", "configuration": {"endian": "little"}}]),
    *(
        lambda name, value=value: node(name, "chunk_grid", {"name": "regular", "configuration": {"chunk_shape": value}})
        for value in ([0, 0], [HUGE, HUGE], [1], "x", [1.0, 1.0])
    ),
    lambda name: node(name, "chunk_grid", {"name": "irregular"}),
    lambda name: node(name, "chunk_key_encoding", {"name": "v2"}),
    lambda name: node(name, "storage_transformers", [{"name": "x"}]),
    lambda name: node(name, "zarr_format", 2),
    lambda name: node(name, "node_type", "link"),
    lambda name: node(name, "attributes", []),
    lambda name: own(name, "scale_factor", "x"),
    lambda name: node(name, "must_understand", True),
    *(
        lambda name, value=value: moved(name, value)
        for value in ("../x", "/etc/passwd", "a//b", "", ".", "x/../y", "a\\b", "nowhere/x", "a" * 300, "\x1b[31m")
    ),
    lambda name: lambda attributes, nodes: nodes.__setitem__("x", 3),
]


def tried(path, kind, *, go_on=True):
    """Return what every reader, and the check, make of a store: nothing, or errors of ours."""
    found = []
    for read in READERS[kind] if go_on else READERS[kind][:-1]:
        try:
            read(path)
        except tb.TwinbrainError as error:
            found.append(error)
    with suppress(tb.StoreError):
        found += tb.check_store(path).damaged
    return found


@pytest.mark.parametrize("first", [0, *(pytest.param(first, marks=pytest.mark.slow) for first in range(1, 5))])
@pytest.mark.parametrize("kind", SCHEMAS)
def test_what_no_store_of_ours_holds_is_refused_by_whoever_reads_it(forged, kind, first):
    """Every fifth change at a time."""
    changes = [*WRONG[kind], *(change(SCHEMAS[kind]) for change in OF_ANY)]
    for number, change in enumerate(changes[first::5]):
        path = forged(kind, change)
        found = tried(path, kind)
        assert len(found) == len(READERS[kind]) + 1, (number, found)
        assert all(f"{KEY}: expected " in str(told) and str(path) in str(told) for told in found), found
        assert len({str(told) for told in found[:-1]}) == 1


def test_a_claimed_size_takes_no_memory(forged):
    huge = [
        node("spikes/time_step", "shape", [HUGE]),
        node("rate/rate", "shape", [HUGE, 2]),
        attribute("committed", 1e18),
    ]
    tracemalloc.start()
    try:
        for change in huge:
            tried(forged("run", change), "run")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", SCHEMAS)
def test_what_agrees_with_itself_and_not_with_the_files_is_an_error_of_ours(forged, kind):
    changes = [
        node(SCHEMAS[kind], "data_type", "int64"),
        node(TEXTS[kind], "dimension_names", ["other"]),
        own(SCHEMAS[kind], "_FillValue", "no number"),
        own(SCHEMAS[kind], "units", "days since 2000-01-01"),
        own("connectome", "normalisation", 3),
        *([own("spikes", "window_steps", HUGE), own("rate", "bin", "x")] if kind == "run" else []),
        own("connectome/weight", "coordinates", "a b ../c"),
    ]
    for change in changes:
        tried(forged(kind, change), kind, go_on=False)


@pytest.mark.parametrize("kind", ["run", "training"])
def test_a_checkpoint_that_lacks_a_part_is_not_gone_on_from(forged, kind):
    part = {"run": f"{STATE}/lif_current%2Fv", "training": f"{STATE}/course"}[kind]

    def change(attributes, nodes):
        del nodes[part], nodes[STATE]["attributes"]["fingerprint"]

    path = forged(kind, change)
    with pytest.raises(
        tb.StoreError, match=r"run\.zarr: expected 20 values of lif_current/v in the check|/course: expected float64 "
    ):
        tb.resume(path) if kind == "run" else READERS[kind][-1](path)


def test_a_claimed_number_of_chunks_is_neither_counted_nor_listed(forged):
    def change(attributes, nodes):
        nodes["rate/other"] = json.loads(json.dumps(nodes["rate/time"])) | {"shape": [2**23], "dimension_names": ["x"]}
        nodes["rate/other"]["chunk_grid"]["configuration"]["chunk_shape"] = [1]

    path = forged("run", change)
    found = tb.check_store(path).damaged
    assert 1000 < len(found) < 1020
    assert "no more were read" in found[-1].message


def test_what_the_root_does_not_name_is_not_asked_for(stores, tmp_path):
    shutil.copytree(stores["run"], tmp_path / "run.zarr")
    for name in (".zgroup", ".zattrs", ".zmetadata"):
        os.mkfifo(tmp_path / "run.zarr" / name)  # whoever opens one waits for ever
    assert tb.open_run(tmp_path / "run.zarr").attrs["status"] == "interrupted"


def test_a_folder_in_place_of_a_claim_is_named(stores, tmp_path):
    shutil.copytree(stores["run"], tmp_path / "run.zarr")
    (tmp_path / "run.zarr" / "writer-1.claim").mkdir()
    with (
        pytest.raises(tb.StoreError, match=r"expected a claim as a file, found a folder: .*writer-1\.claim; remove it"),
        claimed(Location.of(tmp_path / "run.zarr"), "run"),
    ):
        pass


@pytest.mark.parametrize("what", ["pipe", "link"])
def test_a_root_that_becomes_a_pipe_or_a_link_is_not_read_by_its_writer(stores, tmp_path, what):
    path = tmp_path / "run.zarr"
    shutil.copytree(stores["run"], path)
    writer, _, state = resume_run(path)
    (path / KEY).rename(tmp_path / "elsewhere.json")
    if what == "pipe":
        os.mkfifo(path / KEY)
    else:
        (path / KEY).symlink_to(tmp_path / "elsewhere.json")
    before = (tmp_path / "elsewhere.json").read_bytes()
    with pytest.raises(tb.StoreError, match=rf"found a (symbolic )?{what}"):
        writer.commit(*_nothing(writer, state))
    assert (tmp_path / "elsewhere.json").read_bytes() == before


def _nothing(writer, state):
    """Return a window in which nothing happens, and the state after it."""
    none, first, stop = np.empty(0, np.int32), writer.step, writer.step + 100
    samples = {"0_v_lif_current": np.zeros((10, 8))}
    window = WindowData(first, stop, none, none, np.zeros((10, 2), np.float32), samples)
    return window, dataclasses.replace(state, step=stop)


def test_a_root_at_a_url_is_read_up_to_its_limit(stores):
    location = Location.of("memory://forged/run.zarr")
    location.write(KEY, b" " * 1000)
    assert location.read(KEY, 1000) == b" " * 1000
    with pytest.raises(tb.StoreError, match=r"at most 999 bytes, found one of more than 999 bytes"):
        location.read(KEY, 999)
    location.remove()


def test_a_name_that_would_steer_the_terminal_is_written_out(forged):
    def change(attributes, nodes):
        attributes["workflow"] = name = "\x1b[31mred"
        spec(lambda data: data.__setitem__("name", name))(attributes, nodes)

    assert repr(tb.open_run(forged("run", change)).twin).startswith(r"<run of \x1b[31mred: ")


def test_what_is_not_forged_is_read(stores):
    for kind, path in stores.items():
        for read in READERS[kind][:2]:
            read(path)
        assert tb.check_store(path).damaged == ()
    assert open_training_store(Location.of(stores["training"])).epochs_done == 2
