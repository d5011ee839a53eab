import pytest

from tests.examples import CORTEX, RELAY, relay_region, small_brain, two_population_region
from twinbrain.errors import SpecError
from twinbrain.spec.load import (
    as_workflow,
    is_workflow,
    load_region,
    load_workflow,
    region_names,
    region_path,
    workflow_names,
    workflow_summary,
)

WORKFLOW = """
summary = "Rest."

[run]
duration = "2 s"

[brain]
connectome = "somewhere"

[brain.regions]
"TM-*" = "mine/relay"
"V.1" = "mine/cortex"
"*" = { region = "mine/cortex" }

[[stimuli]]
name = "flash"
population = "relay"
receptor = "ampa"
rate = "100 Hz"
weight = "1 nS"
start = "0 ms"
duration = "50 ms"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A user's folder with two regions and two workflows."""
    for name, text in {
        "regions/mine/cortex.toml": CORTEX,
        "regions/mine/relay.toml": RELAY,
        "workflows/mine.toml": WORKFLOW,
        "workflows/alone.toml": 'region = "mine/cortex"\n',
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("TWINBRAIN_PATH", str(tmp_path))
    return tmp_path


def problems(call, *arguments):
    with pytest.raises(SpecError) as caught:
        call(*arguments)
    return [str(problem) for problem in caught.value.problems]


def test_content_of_a_users_folder_is_found_by_name(folder):
    assert {"mine/cortex", "mine/relay"} <= set(region_names())
    assert {"mine", "alone"} <= set(workflow_names())
    assert load_region("mine/cortex") == two_population_region()
    assert region_path("mine/relay") == folder / "regions/mine/relay.toml"
    assert workflow_summary("mine") == "Rest."


def test_content_of_the_working_folder_is_found_by_name(folder, monkeypatch):
    monkeypatch.delenv("TWINBRAIN_PATH")
    monkeypatch.chdir(folder)
    assert "mine/cortex" in region_names()


def test_content_is_found_by_path(folder):
    assert load_region(folder / "regions/mine/relay.toml") == relay_region()
    assert load_workflow(str(folder / "workflows/mine.toml")) == load_workflow("mine")


def test_files_are_told_apart(folder):
    assert is_workflow(folder / "workflows/mine.toml")
    assert is_workflow(folder / "workflows/alone.toml")
    assert not is_workflow(folder / "regions/mine/relay.toml")


def test_names_of_regions_stand_for_regions(folder):
    workflow = load_workflow("mine")
    assert workflow.name == "mine"
    assert workflow.brain.regions == {
        "TM-*": relay_region(),
        "V.1": two_population_region(),
        "*": two_population_region(),
    }
    assert list(workflow.brain.regions) == ["TM-*", "V.1", "*"]


def test_a_workflow_of_one_region_is_a_brain_of_it_alone(folder):
    brain = load_workflow("alone").brain
    assert brain.regions == {"*": two_population_region()}
    assert brain.connectome.labels == ["test/cortex"]


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("run.duration=10 s", "run.duration", 10_000.0),
        ('run.duration = "10 s"', "run.duration", 10_000.0),
        ("run.seed=7", "run.seed", 7),
        ("record.rate_bin=5 ms", "record.rate_bin", 5.0),
        ("brain.coupling=0.25", "brain.coupling", 0.25),
        ("record.spikes=false", "record.spikes", False),
        ("summary=a = b", "summary", "a = b"),
        ("stimuli.0.rate=5 Hz", "stimuli.0.rate", 5.0),
        ("record.state=[{variable = 'v', neurons = 3}]", "record.state.0.neurons", 3),
        ('brain.regions."TM-*".scale=2', "brain.regions.TM-*.populations.relay.size", 40),
    ],
)
def test_an_override_takes_the_place_of_a_key(folder, override, path, value):
    found = load_workflow("mine", [override])
    for part in path.split("."):
        found = (
            found[int(part)] if part.isdecimal() else found[part] if isinstance(found, dict) else getattr(found, part)
        )
    assert found == value


def test_a_quoted_key_may_hold_dots(folder):
    override = "brain.regions.'V.1'.region=mine/relay"
    assert load_workflow("mine", [override]).brain.regions["V.1"] == relay_region()
    assert load_workflow("mine", ['brain.regions."V.1"=mine/relay']).brain.regions["V.1"] == relay_region()


def test_all_of_a_region_can_be_scaled(folder):
    overrides = ['brain.regions."V.1".scale=0.5', 'brain.regions."*".scale=0.5']
    assert load_workflow("mine", overrides).brain.regions["*"] == two_population_region().scaled(0.5)


def test_a_new_pattern_can_be_added(folder):
    assert list(load_workflow("mine", ["brain.regions.X=mine/relay"]).brain.regions)[-1] == "X"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("run.duration", "--set: expected key=value such as \"run.duration=10 s\", found 'run.duration'"),
        ("=3", '--set: expected key=value such as "run.duration=10 s"'),
        ("run..duration=3", "--set: expected a key such as brain.regions.\"TM-*\".scale, found 'run..duration'"),
        ('brain."regions=3', "--set: expected a key such as"),
        ("run.duration.x=3", "--set run.duration: expected a table, found the value '2 s'; shorten the key"),
        ('run.seed=1\nrun.dt="0.2 ms"', "--set run.seed: expected one value, found other keys after it: run; set each"),
        ("stimuli.1.rate=3", "--set stimuli.1: expected an index from 0 to 0, found '1'"),
        ("stimuli.flash.rate=3", "--set stimuli.flash: expected an index from 0 to 0, found 'flash'"),
        ("run.duratoin=10 s", "{file}: run.duratoin: unknown key 'duratoin'; did you mean 'duration'?"),
        ("run.duration=10", '{file}: run.duration: expected a quantity in ms, found 10 without a unit; write "10 ms"'),
        ("run.duration=10 mV", "{file}: run.duration: expected a quantity in ms, found '10 mV', which is of another"),
        ("run.seed=1.5", "{file}: run.seed: input should be a valid integer"),
        (
            "brain.regions.X=mine/cotrex",
            "{file}: brain.regions.'X': unknown region 'mine/cotrex'; did you mean 'mine/cortex'?",
        ),
        ("brain.regions.X=3", "{file}: brain.regions.'X': expected the name of a region, found 3"),
        (
            'brain.regions."*".scale=0',
            "{file}: brain.regions.'*': scale: expected a positive number up to 1,000,000, found 0",
        ),
        ("run={seed=1}", "run: expected the keys that change, found a table in place of all that run declares"),
        ("stimuli={pulse={rate='1 Hz'}}", "stimuli: expected the keys that change, found a table"),
        ('brain.regions."*".scales=2', "{file}: brain.regions.'*': unknown key 'scales'; known: region, scale"),
        ('brain.regions."*".scale=2', "{file}: brain.regions.*: two different regions are named 'test/cortex'"),
        ('region="mine/cortex"', '{file}: expected either "region" or a table "brain", found both; drop one'),
    ],
)
def test_a_bad_override_is_one_problem(folder, override, message):
    (found,) = problems(load_workflow, "mine", [override])
    assert found.startswith(message.format(file=folder / "workflows/mine.toml"))


def test_a_brain_of_any_name_is_a_workflow():
    assert as_workflow(small_brain().replace(name="my brain/1")).name == "my_brain_1"


def test_faults_of_overrides_of_the_file_and_of_its_regions_are_all_reported_at_once(folder):
    path = folder / "workflows/mine.toml"
    path.write_text(WORKFLOW.replace("2 s", "2 mV").replace("mine/relay", "mine/rely"), encoding="utf-8")
    cortex = folder / "regions/mine/cortex.toml"
    cortex.write_text(CORTEX.replace('cell = "pv"', 'cell = "pw"').replace("size = 40", "size = 0"), encoding="utf-8")
    found = problems(load_workflow, "mine", ["run.seed", "record.rate_bni=3"])
    expected = [
        "--set: expected key=value",
        f"{path}: brain.regions.'TM-*': unknown region 'mine/rely'; did you mean 'mine/relay'?",
        f"{path}: brain.regions.'V.1': {cortex}: populations.pyr.size: input should be greater than or equal to 1",
        f"{path}: brain.regions.'V.1': {cortex}: populations.pv.cell: unknown cell 'pw'",
        f"{path}: brain.regions.'*': {cortex}: populations.pyr.size",
        f"{path}: brain.regions.'*': {cortex}: populations.pv.cell",
        f"{path}: run.duration: expected a quantity in ms, found '2 mV'",
        f"{path}: record.rate_bni: unknown key 'rate_bni'; did you mean 'rate_bin'?",
    ]
    assert len(found) == len(expected)
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start)


def test_broken_toml_is_refused_with_file_and_line(folder):
    path = folder / "broken.toml"
    path.write_text('name = "x"\nsize = = 3\n', encoding="utf-8")
    (found,) = problems(load_region, path)
    assert found.startswith(f"{path}: expected a TOML file, found a fault in it: ")
    assert "line 2" in found
    path.write_bytes(b"name = \xff\n")
    assert "expected text in UTF-8" in problems(load_workflow, path)[0]


def test_a_missing_or_unreadable_file_is_refused(folder):
    path = folder / "none.toml"
    assert problems(load_region, path) == [f"{path}: expected a region file, found none; check the path"]
    assert problems(load_workflow, path) == [f"{path}: expected a workflow file, found none; check the path"]
    path.mkdir()
    assert problems(load_region, path) == [
        f"{path}: expected a regular file, found a folder; copy its contents into a file"
    ]


def test_unknown_names_are_refused_with_the_nearest(folder):
    (found,) = problems(load_region, "mine/cotrex")
    assert found.startswith("unknown region 'mine/cotrex'; did you mean 'mine/cortex'? Known: ")
    assert found.endswith("; or give the path of a .toml file")
    (found,) = problems(load_workflow, "mien")
    assert found.startswith("unknown workflow 'mien'; did you mean 'mine'?")


def test_faults_of_a_region_file_name_the_file(folder):
    path = folder / "regions/mine/cortex.toml"
    path.write_text(CORTEX.replace("in_degree = 4", "in_degre = 4"), encoding="utf-8")
    (found,) = [line for line in problems(load_region, "mine/cortex") if "in_degre" in line and "unknown" in line]
    assert found.startswith(
        f"{path}: projections[2].connect.in_degre: unknown key 'in_degre'; did you mean 'in_degree'?"
    )


def test_a_workflow_without_a_brain_is_refused(folder):
    path = folder / "empty.toml"
    path.write_text("", encoding="utf-8")
    assert problems(load_workflow, path) == [f"{path}: brain: this key is required and missing; add it"]


def test_a_file_whose_name_is_none_of_a_workflow_is_told_what_helps(folder):
    path = folder / "sp ace \u00fc.toml"
    path.write_text('region = "mine/cortex"\n', encoding="utf-8")
    (found,) = problems(load_workflow, path)
    assert "in the file's name, which names the workflow, found 'sp ace \u00fc'" in found
    assert load_workflow(path, ["name=space"]).name == "space"
    (given,) = problems(load_workflow, path, ["name=1"])
    path.write_text('name = 1\nregion = "mine/cortex"\n', encoding="utf-8")
    assert [given] == problems(load_workflow, path)


def test_two_stimuli_of_one_name_are_refused(folder):
    path = folder / "workflows/mine.toml"
    path.write_text(WORKFLOW + WORKFLOW[WORKFLOW.index("[[stimuli]]") :], encoding="utf-8")
    assert problems(load_workflow, "mine") == [
        f"{path}: stimuli[1].name: another stimulus is 'flash' too; give each its own name"
    ]


def test_a_byte_order_mark_is_no_part_of_a_declaration(tmp_path):
    text = region_path("cortex/column").read_text(encoding="utf-8")
    (tmp_path / "own.toml").write_text(f"\ufeff{text}", encoding="utf-8")
    assert load_region(tmp_path / "own.toml") == load_region("cortex/column")
