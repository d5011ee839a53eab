"""Declarations of sweeps."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twinbrain as tb
from twinbrain import units
from twinbrain.errors import SpecError
from twinbrain.spec.load import load_workflow
from twinbrain.spec.sweep import Samples, Sweep, Uniform


def test_a_sweep_of_a_file_is_one_of_python(tmp_path):
    path = tmp_path / "swept.toml"
    path.write_text("""
region = "cortex/column"
[sweep]
reduce = ["mean_rates", "spectrum"]
keep_runs = true
batch = 3
[sweep.parameters]
coupling = [0.5, 1.0]
"run.seed" = { range = 3 }
"regions.cortex/column.parameters.b" = { linear = ["10 pA", "30 pA"], n = 3 }
[[sweep.together]]
"regions.*.drives.pyr.rate" = ["1 kHz", "2 kHz"]
drive_seed = [1, 2]
[sweep.samples]
n = 4
parameters = { "regions.*.drives.pv.rate" = { log = ["1 kHz", "2 kHz"] } }
""")
    sweep = load_workflow(path).sweep
    assert sweep == tb.Sweep(
        parameters={
            "coupling": [0.5, 1.0],
            "run.seed": range(3),
            "regions.cortex/column.parameters.b": ["10 pA", "20 pA", "30 pA"],
        },
        together=[{"regions.*.drives.pyr.rate": ["1 kHz", "2 kHz"], "drive_seed": np.array([1, 2])}],
        samples=tb.Samples(n=4, parameters={"regions.*.drives.pv.rate": Uniform(log=("1 kHz", "2 kHz"))}),
        reduce={"mean_rates": {}, "spectrum": {}},
        keep_runs=True,
        batch=3,
    )
    assert Sweep.parse(sweep.to_dict()) == sweep
    assert Sweep.parse(sweep.model_dump(mode="json")).digest == sweep.digest


def test_a_workflow_with_a_sweep_has_another_digest():
    workflow = load_workflow("single_region")
    swept = workflow.model_copy(update={"sweep": Sweep(parameters={"seed": [1, 2]})})
    other = workflow.model_copy(update={"sweep": Sweep(parameters={"seed": [1, 3]})})
    assert len({workflow.digest, swept.digest, other.digest}) == 3


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        ({}, ["expected at least one key with values, found none; give parameters"]),
        ({"parameters": {"seed": []}}, ["parameters.seed: expected at least one value"]),
        ({"parameters": {"seed": 3}}, ["parameters.seed: expected a list", "found 3"]),
        ({"parametrs": {"seed": [1]}}, ["unknown key 'parametrs'; did you mean 'parameters'?"]),
        ({"parameters": {"seed": [1, 2, 1.0]}}, ["parameters.seed: expected each value once, found 1.0 twice"]),
        (
            {"parameters": {"dt": ["100 us", "0.1 ms"]}},
            ["parameters.dt: expected each value once, found '0.1 ms'"],
        ),
        (
            {"parameters": {"C_m": [{"normal": ["0.2 nF", 0.1]}, {"normal": ["200 pF", 0.1]}]}},
            ["parameters.C_m: expected each value once, found {'normal': ['200 pF', 0.1]}"],
        ),
        ({"parameters": {"seed": [1]}, "reduce": ["cv_isi", "cv_isi"]}, ["reduce: expected each once, found 'cv_isi'"]),
        ({"together": [{}]}, ["together[0]"]),
        (
            {"together": [{"seed": [1, 2], "coupling": [1]}]},
            ["together[0]: expected lists of one length, found seed 2, coupling 1"],
        ),
        ({"parameters": {"seed": [1]}, "together": [{"seed": [1, 2]}]}, ["the key 'seed' is given values twice"]),
        ({"together": [{"seed": [1, 2]}, {"seed": [1, 2]}]}, ["the key 'seed' is given values twice"]),
        (
            {"parameters": {"seed": [1]}, "samples": {"n": 1, "parameters": {"seed": {"integers": [0, 9]}}}},
            ["the key 'seed' is given values twice"],
        ),
        (
            {"parameters": {"seed": range(10**4), "drive_seed": range(10**4)}},
            ["expected at most 1,000,000 points, found 100,000,000"],
        ),
        (
            {
                "parameters": {"seed": range(2)},
                "samples": {"n": 10**6, "parameters": {"coupling": {"uniform": [0, 1]}}},
            },
            ["expected at most 1,000,000 points, found 2,000,000"],
        ),
        (
            {"together": [{"seed": pd.Series([1, 2]), "coupling": pd.Series([0.5, 1])[::-1]}]},
            ["expected values that change together with the same labels, in the same order, found others"],
        ),
        ({"parameters": {"seed": [1]}, "batch": 0}, ["batch", "greater than or equal to 1"]),
        ({"parameters": {"seed": [1]}, "reduce": "mean_rates"}, ["reduce", "dict"]),
        ({"parameters": {"seed": [1]}, "reduce": {"mean_rates": 3}}, ["reduce.mean_rates", "dict"]),
        ({"parameters": {"seed": [1]}, "keep_runs": "perhaps"}, ["keep_runs"]),
    ],
)
def test_what_is_no_sweep_is_refused(data, texts):
    with pytest.raises(SpecError) as error:
        Sweep.parse(data)
    for text in texts:
        assert text in str(error.value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"n": 0}, "n: input should be greater than or equal to 1"),
        ({"n": 10**7}, "n: input should be less than or equal to 1000000"),
        ({"n": 4, "method": "latin"}, "method: input should be 'sobol' or 'random'"),
        ({"n": 4, "parameters": {}}, "parameters: "),
        ({"n": 4, "parameters": {"seed": {}}}, "expected one of uniform, log and integers, found none"),
        ({"n": 4, "parameters": {"seed": {"uniform": [0, 1], "log": [1, 2]}}}, "found uniform, log"),
        ({"n": 4, "parameters": {"seed": {"uniform": [0, 1, 2]}}}, "parameters.seed.uniform"),
        ({"n": 4, "parameters": {"seed": {"uniform": ["1 ms", "1 mV"]}}}, "another dimension"),
        ({"n": 4, "parameters": {"seed": {"uniform": ["nan", "1"]}}}, "expected a finite quantity"),
        ({"n": 4, "parameters": {"seed": {"uniform": [0, math.inf]}}}, "finite"),
        ({"n": 4, "parameters": {"seed": {"log": [0, 1]}}}, "expected positive ends of log"),
        ({"n": 4, "parameters": {"seed": {"integers": [3, 3]}}}, "the first below the other, found (3, 3)"),
        ({"n": 4, "parameters": {"seed": {"integers": [0.5, 3]}}}, "integer"),
    ],
)
def test_what_is_no_box_of_samples_is_refused(data, text):
    with pytest.raises(SpecError) as error:
        Samples.parse({"parameters": {"seed": {"integers": [0, 9]}}} | data)
    assert text in str(error.value)


FRACTION = st.floats(0, 1)
POSITIVE = st.floats(1e-6, 1e6)


@given(st.sampled_from(["uniform", "log"]), POSITIVE, POSITIVE, FRACTION)
def test_a_sample_lies_between_the_ends(form, first, last, fraction):
    (plain,) = Uniform.parse({form: [first, last]}).at([fraction])
    low, high = sorted(units.number(end, "1") for end in (first, last))
    assert low <= plain <= high
    (with_units,) = Uniform.parse({form: [f"{first!r} Hz", f"{last!r} Hz"]}).at([fraction])
    assert units.number(with_units, "Hz") == plain


@given(st.integers(-1000, 1000), st.integers(1, 1000), FRACTION)
def test_an_integer_lies_in_its_range(first, n, fraction):
    (value,) = Uniform(integers=(first, first + n)).at([fraction])
    assert type(value) is int
    assert value in range(first, first + n)


def test_half_way_is_half_way():
    assert Uniform(uniform=(1, 3)).at([0.5]) == (2.0,)
    assert Uniform(log=("1 Hz", "100 Hz")).at([0.5]) == ("10 Hz",)
    assert Uniform(integers=(0, 4)).at([0, 0.25, 0.5, 0.75, 1]) == (0, 1, 2, 3, 3)


def test_a_contrast_is_of_cases_by_their_names_up_to_a_colon():
    cases = {"one: 20 ms": {"coupling": 1}, "one: 50 ms": {"coupling": 2}, "many": {"coupling": 3}}
    found = Sweep.parse({"cases": cases, "contrasts": {"spread": ["many", "one"]}})
    assert found.contrasts == {"spread": ("many", "one")}
    with pytest.raises(SpecError, match=r"contrasts\.spread: no case is called 'man'; did you mean 'many'"):
        Sweep.parse({"cases": cases, "contrasts": {"spread": ["man", "one"]}})


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (
            {"parameters": {f"q{i}": {"linear": [0, 1], "n": 1_000_000} for i in range(1000)}},
            "1,000,000 points, found 1,0",
        ),
        ({"parameters": {f"q{i}": {"range": 1000} for i in range(3)}}, "1,000,000 points, found 1,000,000,000; give"),
        (
            {"together": [{f"q{i}": {"range": [0, 1_000_000]} for i in range(10)}]},
            "4,000,000 values of all keys, found more",
        ),
    ],
)
def test_what_could_not_be_held_is_refused_before_it_is_written_out(table, text, monkeypatch):
    monkeypatch.setattr("twinbrain.spec.values.expand", lambda values: pytest.fail("written out"))
    with pytest.raises(SpecError, match=f"expected at most {text}"):
        Sweep.parse(table)


@pytest.mark.parametrize(
    ("n", "n_keys", "text"),
    [
        (1_000_000, 5, "4,000,000 values, found 1,000,000 of each of 5 keys"),
        pytest.param(2, 22_000, "21,201 keys of Sobol' points", marks=pytest.mark.slow),
    ],
)
def test_samples_of_too_many_keys_are_refused(n, n_keys, text):
    with pytest.raises(SpecError, match=f"expected at most {text}"):
        Samples.parse({"n": n, "parameters": {f"seed.q{i}": {"uniform": [0, 1]} for i in range(n_keys)}})


def test_the_ends_of_a_box_are_read_once_for_all_samples(monkeypatch):
    box = Uniform(log=("1 Hz", "100 Hz"))
    read = []
    number = units.number
    monkeypatch.setattr("twinbrain.units.number", lambda *arguments: read.append(arguments) or number(*arguments))
    assert len(box.at(np.linspace(0, 1, 1000))) == 1000
    assert len(read) == 2
