import hashlib
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import twinbrain as tb
from tests.examples import RELAY, region_data
from tests.spec.regions import regions
from tests.spec.test_explicit import explicit_data
from twinbrain.errors import SpecError
from twinbrain.spec import write
from twinbrain.spec.load import region_names
from twinbrain.spec.region import Region

N = 50


def trained_region(seed=0):
    """Return a region with long arrays, as training leaves it."""
    rng = np.random.default_rng(seed)
    data = region_data(RELAY)
    data["drives"][0]["weight"] = "8 nS"
    data["cells"]["relay"]["parameters"]["C_m"] = tb.Explicit(rng.uniform(90, 110, 20), "pF")
    data["projections"][2] |= {
        "connect": {"pairs": tb.Pairs(source=rng.integers(0, 8, N), target=rng.integers(0, 8, N))},
        "weight": tb.Explicit(rng.normal(size=N), "pA"),
    }
    return Region.parse(data)


def problem(path):
    with pytest.raises(SpecError) as caught:
        tb.load_region(path)
    return str(caught.value)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40, deadline=None)
@given(region=regions())
def test_a_written_region_is_read_as_an_equal_one(tmp_path_factory, region):
    path = tmp_path_factory.mktemp("regions") / "region.toml"
    written = tb.write_region(region, path)
    again = tb.load_region(path)
    assert again == region
    assert again.digest == region.digest
    assert list(again.populations) == list(region.populations)
    assert sorted(path.parent.iterdir()) == sorted(written)


@pytest.mark.parametrize("name", region_names())
def test_every_shipped_region_is_written_and_read(name, tmp_path):
    region = tb.load_region(name)
    (path,) = tb.write_region(region, tmp_path / "region.toml")
    assert tb.load_region(path) == region
    assert max(map(len, re.findall(r"^(?!summary).*$", path.read_text("utf-8"), flags=re.MULTILINE))) <= 170


def test_a_file_reads_as_one_writes_it(tmp_path):
    (path,) = tb.write_region(Region.parse(explicit_data()), tmp_path / "relay.toml")
    text = path.read_text("utf-8")
    assert 'v = { values = [-0.07, -0.069, -0.068, -0.067, -0.066, -0.065, -0.064, -0.063], unit = "V" }' in text
    assert 'a = { uniform = ["20 Hz", "40 Hz"] }' in text
    assert "\n[populations]\nrelay = { " in text
    assert (
        '[[projections]]\nname = "feedback"\nsource = "local"\ntarget = "local"\nreceptor = "exponential_current"\n'
        "connect = { pairs = { source = [0, 1, 2, 3], target = [4, 5, 6, 7] } }\n"
        'weight = { values = [-10.0, -20.0, -30.0, -40.0], unit = "pA" }\n'
    ) in text
    sections = [text.index(f"\n[{name}") for name in ("cells", "populations", "[projections", "[drives", "ports")]
    assert sections == sorted(sections)


def test_files_of_drives_are_the_same_ones_whatever_lies_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    region = Region.parse(region_data(RELAY))
    kinds = {
        "spikes": {"file": "r.npz", "unit": "ms", "weight": "1 nS"},
        "waveform": {"file": "a/../w.npy", "unit": "pA", "interval": "1 ms"},
    }
    drives = [tb.Drive(population="relay", receptor="current", **{kind: given}) for kind, given in kinds.items()]
    region = region.replace(drives=drives)
    (path,) = tb.write_region(region, "a/region.toml")
    assert tb.load_region(path) == region
    assert f'file = "{tmp_path / "r.npz"}"' in path.read_text()


def test_long_arrays_lie_beside_it_from_any_working_folder(tmp_path, monkeypatch):
    region, folder = trained_region(), tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    arrays, path = tb.write_region(region, "a/b/column.toml")
    assert (arrays.name, path.name) == ("column.npz", "column.toml")
    with np.load(arrays) as found:
        assert found.files == ["relay C_m", "feedback weight", "feedback pairs"]
        np.testing.assert_array_equal(found["feedback weight"], region.projections[2].weight.values)
    assert 'array = "feedback weight", unit = "pA", sha256 = "' in path.read_text("utf-8")
    for place, name in ((tmp_path, "a/b/column.toml"), (folder, "column.toml"), (folder.parent, "b/column.toml")):
        monkeypatch.chdir(place)
        assert tb.load_region(name) == region


def test_equal_regions_make_equal_files(tmp_path):
    one, other = (tb.write_region(trained_region(), tmp_path / f"{name}.toml")[0] for name in "ab")
    assert one.read_bytes() == other.read_bytes()


def test_changed_arrays_are_refused(tmp_path):
    arrays, path = tb.write_region(trained_region(0), tmp_path / "column.toml")
    other, _ = tb.write_region(trained_region(1), tmp_path / "other.toml")
    arrays.write_bytes(other.read_bytes())
    found = problem(path)
    assert f"{path}: projections[2].weight.file: {arrays}: expected the contents with sha256 " in found
    assert "the file has changed; bring back the one that was written with this declaration" in found


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda path: path.unlink(),
            "expected a file, found none; check the path",
        ),
        (lambda path: path.write_bytes(b"PK"), "column.npz: "),
        (lambda path: path.write_bytes(path.read_bytes()[:-300]), "column.npz: "),
        (lambda path: np.savez(path, x=[1.0]), "no array is called 'feedback weight'; Known: x"),
        (
            lambda path: np.savez(path, **{"feedback weight": np.array([object()])}),
            "found Python objects, which are not read",
        ),
        (
            lambda path: np.savez(path, **{"feedback pairs": np.zeros((3, 2), int)}),
            "expected an array of shape (2",
        ),
        (lambda path: np.savez(path, **{"feedback weight": np.zeros((3, 2))}), "found an array of shape (3"),
        (lambda path: np.save(path.with_suffix(".npy"), [1.0]), "found a single array"),
    ],
)
def test_damaged_arrays_are_named(damage, message, tmp_path):
    arrays, path = tb.write_region(trained_region(), tmp_path / "column.toml")
    path.write_text(re.sub(', sha256 = "[^"]*"', "", path.read_text("utf-8")), "utf-8")
    assert tb.load_region(path) == trained_region()
    damage(arrays)
    if (single := arrays.with_suffix(".npy")).exists():
        single.rename(arrays)
    assert message in problem(path)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\f", "\x1c", "\x85", "\u2028"])
def test_a_note_of_several_lines_is_a_comment_and_nothing_else(end, tmp_path):
    region = Region.parse(region_data(RELAY))
    path = tmp_path / "x.toml"
    tb.write_region(region, path, note=f'first\0\x1b\x7f\t\udcff{end}{end}summary = "y"')
    assert path.read_text().startswith('# first\\x00\\x1b\\x7f\t\\udcff\n#\n# summary = "y"\n')
    assert tb.load_region(path) == region


def test_a_file_is_not_replaced_without_asking(tmp_path):
    arrays, path = tb.write_region(trained_region(0), tmp_path / "column.toml")
    with pytest.raises(SpecError, match=r"column\.npz: expected no such file, found one; .* overwrite=True"):
        tb.write_region(trained_region(1), path)
    assert tb.load_region(path) == trained_region(0)
    tb.write_region(trained_region(1), path, overwrite=True)
    assert tb.load_region(path) == trained_region(1)
    assert sorted(tmp_path.iterdir()) == sorted([arrays, path])


def test_arrays_stay_where_the_region_has_none_any_more(tmp_path):
    arrays, path = tb.write_region(trained_region(), tmp_path / "column.toml")
    assert tb.write_region(Region.parse(region_data(RELAY)), path, overwrite=True) == [path]
    assert arrays.exists()
    assert tb.write_region(trained_region(), path, overwrite=True) == [arrays, path]
    assert tb.load_region(path) == trained_region()


def test_arrays_that_a_person_made_for_a_region_are_kept(tmp_path):
    _, path = tb.write_region(trained_region(), tmp_path / "column.toml")
    path.write_text(re.sub(', sha256 = "[^"]*"', "", path.read_text("utf-8")), "utf-8")
    with pytest.raises(SpecError, match=r"column\.npz: .* found some that it names without their sha256, as a person"):
        tb.write_region(trained_region(1), path, overwrite=True)
    assert tb.load_region(path) == trained_region()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("baseline.toml", "column.npz"),
        ("column.toml.bak", "column.npz"),
        ("column.old", "column.npz"),
        ("paper/column.toml", "../column.npz"),
        ("../brain.toml", "models/column.npz"),
    ],
)
def test_arrays_that_a_copy_of_the_region_names_stay(name, file, tmp_path, monkeypatch):
    (folder := tmp_path / "models").mkdir()
    monkeypatch.chdir(folder)
    _, path = tb.write_region(trained_region(), "column.toml")
    copied = folder / name
    copied.parent.mkdir(exist_ok=True)
    copied.write_text(path.read_text("utf-8").replace("column.npz", file), "utf-8")
    with pytest.raises(SpecError, match=rf"column\.npz: expected .*, found those that {name} names, too; move"):
        tb.write_region(trained_region(1), path, overwrite=True)
    tb.write_region(trained_region().replace(summary="the same arrays"), path, overwrite=True)
    copied.write_text(path.read_text("utf-8").replace("column.npz", "other\\u0000.npz"), "utf-8")
    tb.write_region(trained_region(1), path, overwrite=True)
    assert tb.load_region(path) == trained_region(1)


def test_digests_may_be_in_capitals(tmp_path):
    _, path = tb.write_region(trained_region(0), tmp_path / "column.toml")
    path.write_text(re.sub('(?<=sha256 = ")[^"]*', lambda digest: digest[0].upper(), path.read_text("utf-8")), "utf-8")
    assert tb.load_region(path) == trained_region(0)
    tb.write_region(trained_region(1), path, overwrite=True)
    assert tb.load_region(path) == trained_region(1)


def test_arrays_are_those_of_a_region_however_it_writes_their_path(tmp_path):
    _, path = tb.write_region(trained_region(0), tmp_path / "column.toml")
    path.write_text(path.read_text("utf-8").replace('"column.npz"', '"./column.npz"'), "utf-8")
    tb.write_region(trained_region(1), path, overwrite=True)
    assert tb.load_region(path) == trained_region(1)


@pytest.mark.parametrize("region", ["none", "written", "pinned"])
@pytest.mark.parametrize("kept", [{"time": [10.0], "neuron": [0]}, {"relay C_m": [1.0], "raw": [2.0]}])
def test_arrays_that_are_not_those_of_the_region_are_kept(region, kept, tmp_path):
    path = tmp_path / "column.toml"
    arrays, _ = tb.write_region(trained_region(), path)
    before = hashlib.sha256(arrays.read_bytes()).hexdigest()
    np.savez(arrays, **kept)
    if region == "none":
        path.unlink()
    elif region == "pinned":  # by a person, who has arrays of their own in the file
        path.write_text(path.read_text().replace(before, hashlib.sha256(arrays.read_bytes()).hexdigest()))
    with pytest.raises(SpecError, match=r"column\.npz: expected nothing but the arrays .*; move"):
        tb.write_region(trained_region(1), path, overwrite=True)
    with np.load(arrays) as found:
        assert {name: found[name].tolist() for name in found} == kept


def test_arrays_with_other_numbers_than_the_region_was_written_with_are_kept(tmp_path):
    arrays, path = tb.write_region(trained_region(0), tmp_path / "column.toml")
    other, _ = tb.write_region(trained_region(1), tmp_path / "other.toml")
    arrays.write_bytes(other.read_bytes())
    with pytest.raises(SpecError, match="found other numbers in them"):
        tb.write_region(trained_region(0), path, overwrite=True)
    assert arrays.read_bytes() == other.read_bytes()


def test_what_could_not_be_read_again_is_not_written(tmp_path, monkeypatch):
    region = Region.parse(region_data(RELAY))
    monkeypatch.setattr(write, "LARGEST_TOML", 500)
    with pytest.raises(SpecError, match=r"^region test/relay: expected TOML of at most 500 B, found .*; or give long"):
        tb.write_region(region, tmp_path / "region.toml")
    brain = tb.Brain(connectome="tvb-96", regions={"*": region})
    with pytest.raises(SpecError, match=r"^region test/relay: expected TOML of at most 500 B"):
        tb.write_brain(brain, tmp_path / "brain")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("TWINBRAIN_LARGEST_FILE", "1 MB")
    tb.write_region(region, tmp_path / "region.toml")
    assert tb.load_region(tmp_path / "region.toml") == region


def test_bad_paths_are_named(tmp_path):
    with pytest.raises(SpecError, match=r"expected a file \.toml, found '\.json'; rename it"):
        tb.write_region(trained_region(), tmp_path / "column.json")
    with pytest.raises(SpecError, match=r"expected the folder .*nowhere, found none; make it first"):
        tb.write_region(trained_region(), tmp_path / "nowhere" / "column.toml")


def test_workflows_name_such_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my").mkdir()
    tb.write_region(trained_region(), "my/column.toml")
    (tmp_path / "alone.toml").write_text('region = "my/column.toml"\n', "utf-8")
    brain = '[brain]\nconnectome = "x"\n[brain.regions]\n'
    patterns = '"L*" = { region = "my/column.toml", scale = 1.0 }\n"*" = "my/column.toml"\n'
    (tmp_path / "whole.toml").write_text(brain + patterns, "utf-8")
    for name in ("alone.toml", "whole.toml"):
        assert all(region == trained_region() for region in tb.load_workflow(name).brain.regions.values())
    (tmp_path / "scaled.toml").write_text(brain + '"*" = { region = "my/column.toml", scale = 2 }\n', "utf-8")
    with pytest.raises(SpecError, match=r"cells\.relay\.parameters\.C_m: expected a quantity or a distribution"):
        tb.load_workflow("scaled.toml")
