import errno
import json

import numpy as np
import pytest

import twinbrain as tb
from tests.cli.small import REGION
from tests.spec.test_write import trained_region


def run(twinbrain, *options):
    return twinbrain("run", "small.toml", *options)


def test_a_run_leaves_a_store_a_figure_and_a_table(twinbrain, folder):
    outcome = run(twinbrain)
    assert (outcome.code, outcome.err) == (0, "")
    tree = tb.open_run(folder / "runs/small.zarr")
    assert (tree.attrs["status"], tree.attrs["workflow"], tree.attrs["committed"]) == ("complete", "small", 40.0)
    assert (folder / "runs/small.png").read_bytes().startswith(b"\x89PNG")
    for text in ("plan of small", "what happened", "rate (Hz)", "test", "runs/small.zarr", "runs/small.png"):
        assert text in outcome.out


def test_a_figure_is_left_out_if_not_wanted(twinbrain, folder):
    assert run(twinbrain, "--no-figure").code == 0
    assert [path.name for path in (folder / "runs").iterdir()] == ["small.zarr"]


def test_settings_place_and_seed_are_taken(twinbrain, folder):
    options = ("--set", "run.duration=20 ms", "--set", 'run.window="10 ms"', "--set", 'brain.regions."*".scale=0.5')
    assert run(twinbrain, *options, "--seed", 7, "--out", "kept here/one.zarr", "--no-figure").code == 0
    attributes = tb.open_run(folder / "kept here/one.zarr").attrs
    assert [attributes[name] for name in ("seed", "duration", "window")] == [7, 20.0, 10.0]
    assert json.loads(twinbrain("info", "kept here/one.zarr", "--json").out)["n_neurons"] == 18
    assert not (folder / "runs").exists()


def test_the_seed_decides(twinbrain, folder):
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        run(twinbrain, "--no-figure", "--seed", seed, "--out", f"{name}.zarr")
    one, again, other = (
        tb.open_run(f"{name}.zarr")["state/0_v_lif_current"]["v"].values for name in ("one", "again", "other")
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_what_is_printed_as_json_is_json_and_nothing_else(twinbrain, folder):
    plan = json.loads(twinbrain("plan", "small.toml", "--json").out)
    assert (plan["n_regions"], plan["n_neurons"]) == (3, 36)
    report = json.loads(run(twinbrain, "--json").out)
    assert (report["run"], report["figure"]) == ("runs/small.zarr", "runs/small.png")
    assert report["summary"][0]["n_neurons"] == 36
    assert json.loads(twinbrain("resume", "runs/small.zarr", "--json", "--no-figure").out) == report | {"figure": None}
    info = json.loads(twinbrain("info", "runs/small.zarr", "--json").out)
    assert (info["status"], info["committed"], info["engine"]) == ("complete", 40.0, "reference")
    regions = json.loads(twinbrain("regions", "--json").out)
    assert {region["name"] for region in regions} >= set(tb.region_names())
    assert set(json.loads(twinbrain("workflows", "--json").out)) == set(tb.workflow_names())
    connectomes = json.loads(twinbrain("connectomes", "--json").out)
    assert {row["name"] for row in connectomes} == set(tb.connectome_names())


@pytest.mark.parametrize(
    ("command", "texts"),
    [
        (("regions",), tb.region_names()),
        (("workflows",), tb.workflow_names()),
        (("connectomes",), tb.connectome_names()),
        (("plan", "small.toml"), ["36 in 1 block", "0.04 s in steps of 0.1 ms", "reference, seed 0"]),
        (("--help",), ["run", "plan", "resume", "info", "regions", "connectomes", "workflows", "validate"]),
    ],
)
def test_a_command_prints_what_there_is(twinbrain, command, texts):
    outcome = twinbrain(*command)
    assert (outcome.code, outcome.err) == (0, "")
    for text in texts:
        assert text in outcome.out


def test_info_says_what_a_run_holds(twinbrain):
    run(twinbrain, "--no-figure")
    out = twinbrain("info", "runs/small.zarr").out
    for text in ("small", "complete", "0.04 of 0.04 s", "36", "reference, seed 0", "brian2"):
        assert text in out


def test_a_plan_builds_and_writes_nothing(twinbrain, folder):
    before = sorted(folder.iterdir())
    assert twinbrain("plan", "small.toml").code == 0
    assert sorted(folder.iterdir()) == before


def test_resuming_a_complete_run_says_so_and_draws_its_figure(twinbrain, folder):
    run(twinbrain, "--no-figure")
    outcome = twinbrain("resume", "runs/small.zarr")
    assert outcome.code == 0
    assert "runs/small.zarr is complete; nothing is left to do" in outcome.out
    assert "twinbrain check runs/small.zarr" in outcome.out  # since not all of it was read
    assert (folder / "runs/small.png").exists()


def test_a_new_region_is_right_and_can_be_run_by_its_name(twinbrain, folder):
    outcome = twinbrain("regions", "new", "my_lab/my_region", "--like", "basal_ganglia/pallidum")
    assert outcome.code == 0
    assert "twinbrain validate regions/my_lab/my_region.toml" in outcome.out
    assert tb.load_region("my_lab/my_region").name == "my_lab/my_region"
    assert twinbrain("validate", "regions/my_lab/my_region.toml").code == 0
    settings = ("--set", "region=my_lab/my_region", "--set", "run.duration=5 ms", "--set", "run.engine=reference")
    assert twinbrain("run", "single_region", *settings, "--no-figure").code == 0


def test_a_new_region_keeps_all_but_its_name(twinbrain, folder):
    twinbrain("regions", "new", "mine", "--like", "cortex/column")
    new, old = tb.load_region("mine"), tb.load_region("cortex/column")
    assert new.to_dict() == old.to_dict() | {"name": "mine"}


def test_a_region_with_arrays_is_copied_with_them(twinbrain, folder):
    tb.write_region(trained_region(), folder / "column.toml")
    assert twinbrain("regions", "new", "mine", "--like", "column.toml").code == 0
    (folder / "column.npz").unlink()
    assert tb.load_region("mine") == trained_region().model_copy(update={"name": "mine"})


@pytest.mark.parametrize(
    "begin",
    [
        '\ufeffname = "test/pair"',
        '  name = "test/pair"',
        '"name" = "test/pair"',
        '"\\u006eame" = "test/pair"',
        'summary = """\nname = "mine"\n"""\nname = "test/pair"',
        'summary = """\nname = """\nname = "test/pair"',
        'name = """\ntest/pair"""',
    ],
)
def test_a_copy_of_a_region_has_its_new_name_however_the_old_one_was_written(twinbrain, folder, begin):
    named = '[[drives]]\nname = "of the drive"\npopulation = "exc"\ncurrent = "1 pA"\n'
    text = REGION.lstrip().replace('name = "test/pair"', begin)
    assert text != REGION
    (folder / "pair.toml").write_text(f"{text}\n{named}", "utf-8")
    assert twinbrain("regions", "new", "my/pair", "--like", "pair.toml").code == 0
    assert tb.load_region("my/pair") == tb.load_region("pair.toml").replace(name="my/pair")


@pytest.mark.parametrize("file", ["r.npz", "../r.npz"])
def test_a_copy_of_a_region_names_the_files_of_its_drives(twinbrain, folder, file):
    drive = f"population = 'exc'\nwaveform = {{ file = '{file}', unit = 'pA', interval = '1 ms' }}"
    (folder / "inner").mkdir()
    (folder / "inner/pair.toml").write_text(f"{REGION}\n[[drives]]\n{drive}\n")
    assert twinbrain("regions", "new", "my/pair", "--like", "inner/pair.toml").code == 0
    assert tb.load_region("my/pair") == tb.load_region("inner/pair.toml").replace(name="my/pair")


@pytest.mark.parametrize("name", ["../mine", "my region", "", "/mine", "cortex/column"])
def test_a_new_region_of_an_impossible_or_taken_name_is_refused(refused, folder, name):
    refused(("regions", "new", name), "expected a name")
    assert not (folder / "regions").exists()


def test_a_new_region_never_replaces_a_file(twinbrain, refused, folder):
    twinbrain("regions", "new", "mine")
    (folder / "regions/mine.toml").write_text("mine")
    refused(("regions", "new", "mine"), "regions/mine.toml", "expected a name that is free")
    assert (folder / "regions/mine.toml").read_text() == "mine"


def test_validate_passes_what_is_right(twinbrain):
    outcome = twinbrain("validate", "small.toml", "pair.toml", "weights.tsv")
    assert outcome == (0, "small.toml: right\npair.toml: right\nweights.tsv: right\n", "")


def test_a_figure_that_cannot_be_written_leaves_the_run_complete(twinbrain, refused, folder, monkeypatch):
    (folder / "runs/small.png").mkdir(parents=True)
    refused(("run", "small.toml"), "expected runs/small.png free for a file beside runs/small.zarr, found a folder")
    assert not (folder / "runs/small.zarr").exists()
    (folder / "runs/small.png").rmdir()

    def full(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("twinbrain.plot.save", full)
        refused(
            ("run", "small.toml"),
            "runs/small.zarr is kept",
            "runs/small.png beside it cannot be written",
            "twinbrain resume",
        )
    assert tb.open_run(folder / "runs/small.zarr").attrs["status"] == "complete"


def test_a_run_too_short_for_a_table_says_so(twinbrain):
    options = ("--no-figure", "--set", "run.duration=5 ms", "--set", "run.window=5 ms")
    outcome = run(twinbrain, *options)
    assert outcome.code == 0
    assert "no table of what happened: expected a run of at least 2 bins of 3 ms" in outcome.out
    assert json.loads(run(twinbrain, *options, "--overwrite", "--json").out)["summary"] is None


def test_an_unknown_option_and_command_are_refused(twinbrain):
    for arguments in (("run", "small.toml", "--sede", 1), ("rnu",), ("run",)):
        outcome = twinbrain(*arguments)
        assert outcome.code == 2
        assert "Traceback" not in outcome.err


def test_the_engine_can_be_chosen_and_gives_the_same_run(twinbrain, folder):
    assert run(twinbrain, "--no-figure").code == 0
    outcome = run(twinbrain, "--no-figure", "--engine", "torch", "--device", "cpu", "--out", "torch.zarr")
    assert (outcome.code, outcome.err) == (0, "")
    assert "torch on cpu in float64" in outcome.out
    one, other = tb.open_run("runs/small.zarr"), tb.open_run("torch.zarr")
    assert (other.attrs["engine"], other.attrs["device"], other.attrs["precision"]) == ("torch", "cpu", "float64")
    assert "torch" in json.loads(other.attrs["versions"])
    for name in ("time_step", "neuron"):
        np.testing.assert_array_equal(one["spikes"][name], other["spikes"][name])


def test_a_device_that_is_not_there_is_refused_before_anything_is_written(twinbrain, folder):
    for command in ("run", "plan"):
        outcome = twinbrain(command, "small.toml", "--engine", "torch", "--device", "cuda:77")
        assert outcome.code != 0
        assert "run.device: expected a device that is there (cpu" in outcome.err
    assert not (folder / "runs").exists()


@pytest.mark.parametrize("place", ["taken.zarr", "taken.zarr/below.zarr"])
def test_a_path_that_cannot_be_used_is_refused_before_the_plan(twinbrain, folder, place):
    (folder / "taken.zarr").touch()
    for command in (("run", "small.toml"), ("run", "small.toml", "--shards", 2)):
        outcome = twinbrain(*command, "--out", place)
        assert outcome.code == 2
        assert outcome.out == ""
        assert ("found a file" if place == "taken.zarr" else "Not a directory") in outcome.err
