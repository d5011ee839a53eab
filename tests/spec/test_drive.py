import tomllib

import brian2 as b2
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinbrain.errors import SpecError
from twinbrain.spec.drive import INPUT_KINDS, Drive, Stimulus
from twinbrain.spec.signal import SampledWaveform, SpikeTrains

EACH = {
    "rate": {"receptor": "ampa", "rate": "10 Hz", "weight": "1 nS"},
    "noise": {"noise": 1},
    "current": {"current": "0.1 nA"},
    "pulses": {"pulses": {"amplitude": "50 pA", "width": "1 ms", "period": "10 ms", "delay": "2 ms"}},
    "sine": {"sine": {"amplitude": "50 pA", "frequency": "8 Hz", "phase": "90 deg", "offset": "10 pA"}},
    "spikes": {"receptor": "ampa", "spikes": {"times": [[1, 2.5], []], "unit": "ms", "weight": "1 nS"}},
    "waveform": {"waveform": {"values": [0, 1, 2], "unit": "pA", "interval": "1 ms", "repeat": True}},
}


def parse(where="", **given):
    return Drive.parse({"population": "e"} | given, where)


@pytest.mark.parametrize("kind", INPUT_KINDS)
def test_each_kind_is_read_and_written(kind):
    drive = parse(**EACH[kind])
    assert drive.kind == kind
    assert Drive.parse(drive.to_dict()) == drive
    assert Drive.model_validate_json(drive.model_dump_json()) == drive
    assert Drive.model_validate_json(drive.model_dump_json()).digest == drive.digest


@pytest.mark.parametrize("kind", ["spikes", "waveform"])
def test_a_file_is_the_one_of_the_folder_in_which_it_was_declared(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {key: value for key, value in EACH[kind][kind].items() if key not in ("times", "values")}
    drive = parse(**EACH[kind] | {kind: given | {"file": "own.npz"}})
    monkeypatch.chdir("/")
    assert getattr(drive, kind).file == str(tmp_path / "own.npz")
    assert Drive.parse(drive.to_dict()) == drive


def test_each_kind_is_told_in_a_few_words():
    assert {kind: parse(**given).text for kind, given in EACH.items()} == {
        "rate": "events at 10 Hz, 1 nS",
        "noise": "noise of 1.0",
        "current": "current of 100 pA",
        "pulses": "pulses of 50 pA",
        "sine": "sine of 50 pA",
        "spikes": "given spikes of 1 nS",
        "waveform": "given waveform",
    }


def test_what_injects_a_current_goes_through_its_receptor():
    found = {kind: parse(**given).receptor for kind, given in EACH.items() if "receptor" not in given}
    assert found == {
        "noise": "ou_current",
        "current": "current",
        "pulses": "current",
        "sine": "current",
        "waveform": "current",
    }
    assert parse(noise="20 pA").receptor == "current"
    assert parse(current="1 nS", receptor="ampa").receptor == "ampa"


def test_toml_reads_as_it_is_meant():
    text = """
    name = "theta"
    regions = "HC-*"
    population = "pyr"
    sine = { amplitude = "50 pA", frequency = "6 Hz" }
    start = "1 s"
    duration = "500 ms"
    """
    stimulus = Stimulus.parse(tomllib.loads(text))
    assert (stimulus.kind, stimulus.receptor, stimulus.sine.frequency, stimulus.start) == ("sine", "current", 6, 1000)


def test_arrays_are_taken_for_lists():
    spikes = {"unit": "ms", "weight": "1 nS"}
    drive = parse(receptor="ampa", spikes=spikes | {"times": [np.array([1.0, 2.0]), np.array([])]})
    assert drive.spikes.times == ((1.0, 2.0), ())
    assert parse(receptor="ampa", spikes=spikes | {"times": np.array([1.0])}).spikes.times == ((1.0,),)
    values = {"values": np.eye(2), "unit": "pA", "interval": "1 ms"}
    assert parse(waveform=values).waveform.values == ((1.0, 0.0), (0.0, 1.0))


def in_cells(*cells):
    array = np.empty(len(cells), object)
    array[:] = cells
    return array


@pytest.mark.parametrize("rows", [[[0.0], [500.0], [900.0]], [[0.0, 1.0], [500.0, 501.0]], [[0.0, 1.0], [], [5.0]]])
@pytest.mark.parametrize(
    "given",
    [
        pd.Series,
        lambda rows: (
            pd.DataFrame(
                [(neuron, time) for neuron, row in enumerate(rows) for time in row or [np.nan]],
                columns=["neuron", "time"],
            )
            .groupby("neuron")["time"]
            .apply(lambda times: times.dropna().tolist())
        ),
        lambda rows: in_cells(*map(np.array, rows)),
        lambda rows: xr.DataArray(in_cells(*map(np.array, rows)), dims="neuron"),
        lambda rows: in_cells(*(row * b2.ms for row in rows)),
    ],
    ids=["series", "groupby", "array", "xarray", "quantities"],
)
def test_lists_in_the_cells_of_an_array_are_those_of_the_neurons(given, rows):
    expected = tuple(map(tuple, rows))
    assert SpikeTrains(times=given(rows), unit="ms", weight="1 nS").times == expected


def test_rows_in_the_cells_of_an_array_are_waveforms_of_the_neurons():
    waveform = SampledWaveform(values=pd.Series([[0.0], [500.0]]), unit="pA", interval="1 ms")
    assert waveform.values == ((0.0,), (500.0,))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (np.array([in_cells(np.array([[5.0]]), np.array([[6.0, 7.0]]))]), "lists or arrays in the cells of another"),
        (in_cells(np.array([[5.0]]), np.array([[6.0]])), "lists or arrays in the cells of another"),
        (in_cells(5.0, np.array([6.0, 7.0])), "lists or arrays in the cells of another"),
        (xr.DataArray(in_cells([5.0], [6.0]), attrs={"units": "s"}), "lists or arrays in the cells of another"),
        (xr.DataArray(in_cells([5.0], [6.0]), dims="time"), "expected an array along neuron, found dimensions called"),
        (pd.Series([[5.0], [6.0]], [1, 0]), "expected the labels of an array along neuron to ascend"),
    ],
    ids=["matlab", "matrices", "mixed", "unit", "time", "disorder"],
)
def test_cells_that_are_not_plainly_the_rows_of_the_neurons_are_refused(cells, message):
    with pytest.raises(SpecError, match=f"times: .*{message}"):
        SpikeTrains(times=cells, unit="ms", weight="1 nS")


def test_matlab_cells_are_taken_as_the_message_says():
    cells = np.array([in_cells(np.array([[5.0]]), np.array([[6.0, 7.0]]), np.zeros((0, 0)))])
    times = [np.ravel(cell) for cell in np.ravel(cells)]
    assert SpikeTrains(times=times, unit="ms", weight="1 nS").times == ((5.0,), (6.0, 7.0), ())


def without(kind, key):
    return {kind: {name: value for name, value in EACH[kind][kind].items() if name != key}}


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        ({}, ["expected one of rate, noise, current, pulses, sine, spikes, waveform, found none; add one"]),
        (
            EACH["current"] | EACH["sine"],
            ["expected one of rate, noise, current, pulses, sine, spikes, waveform, found current and sine; drop"],
        ),
        (
            {"receptor": "ampa", "rate": "1 Hz"},
            ["weight: expected the weight of each event beside its rate, found none"],
        ),
        ({"rate": "1 Hz", "weight": "1 nS"}, ["receptor: this key is required and missing"]),
        ({"noise": 1, "weight": "1 nS"}, ["weight: expected it beside a rate alone, found none; drop it or give rate"]),
        (
            EACH["spikes"] | {"weight": "1 nS"},
            ["weight: expected it beside a rate alone, found none; drop it or give spikes.weight"],
        ),
        ({"pulses": {"amplitude": "1 pA", "width": "-1 ms"}}, ["pulses.width: input should be greater than 0"]),
        (
            {"pulses": {"amplitude": "1 pA", "width": "5 ms", "period": "5 ms", "delay": "-1 ms"}},
            ["pulses.delay: input should be greater than or equal to 0"],
        ),
        (
            {"pulses": {"amplitude": "1 pA", "width": "5 ms", "period": "5 ms"}},
            ["pulses: expected a width below the period of 5 ms, found 5 ms; for a constant input use current"],
        ),
        (
            {"sine": {"amplitude": "50 pA", "frequency": "0 Hz", "phase": "1 mV"}},
            ["sine.frequency: input should be greater than 0"],
        ),
        (
            {"sine": {"amplitude": "50 pA", "frequency": "1 Hz", "phase": "1 mV"}},
            ["sine.phase: expected an angle such as \"90 deg\", found '1 mV'"],
        ),
        (
            EACH["spikes"] | without("spikes", "times"),
            ["spikes: expected either times or file, found neither; give one of them"],
        ),
        (
            {"waveform": EACH["waveform"]["waveform"] | {"file": "x.npy"}},
            ["waveform: expected either values or file, found both; give one of them"],
        ),
        (
            {"waveform": EACH["waveform"]["waveform"] | {"sha256": "0" * 64}},
            ["waveform.sha256: expected it beside a file alone; drop it"],
        ),
        (without("waveform", "unit"), ["waveform.unit: this key is required and missing"]),
        (without("waveform", "interval"), ["waveform.interval: this key is required and missing"]),
        (
            {"waveform": EACH["waveform"]["waveform"] | {"unit": "pX", "interval": "0 ms"}},
            [
                'waveform.unit: expected a unit such as "mV" or "nS/ms", found \'pX\'',
                "waveform.interval: input should be",
            ],
        ),
        (
            EACH["spikes"] | {"spikes": EACH["spikes"]["spikes"] | {"unit": "mV"}},
            ["spikes.unit: expected a quantity in ms, found '1 mV'"],
        ),
        (
            EACH["spikes"] | {"spikes": EACH["spikes"]["spikes"] | {"times": [[1.0, "a"], [None]]}},
            [
                "spikes.times[0][1]: input should be a valid number",
                "spikes.times[1][0]: input should be a valid number",
            ],
        ),
        ({"curent": "1 pA"}, ["curent: unknown key 'curent'; did you mean 'current'?"]),
    ],
)
def test_what_cannot_be_is_refused_with_all_its_faults(given, messages):
    with pytest.raises(SpecError) as caught:
        parse("region.toml", **given)
    assert len(caught.value.problems) == len(messages)
    for problem, message in zip(caught.value.problems, messages, strict=True):
        assert str(problem).startswith(f"region.toml: {message}")


def test_a_digest_may_be_in_capitals():
    given = {"file": "x.npz", "unit": "ms", "weight": "1 nS"}
    one, other = (SpikeTrains(**given, sha256=digest) for digest in ("ab" * 32, "AB" * 32))
    assert one == other


def test_quantities_stand_in_the_unit_that_is_named():
    for times in ([5, 7] * b2.ms, [[5 * b2.ms, 0.007 * b2.second]], [np.array([5, 7], "m8[ms]")]):
        assert SpikeTrains(times=times, unit="ms", weight="1 mV").times == ((5.0, 7.0),)
    for values in ([100, 200] * b2.pA, xr.DataArray([0.1, 0.2], attrs={"units": "nA"})):
        assert SampledWaveform(values=values, unit="pA", interval="1 ms").values == ((100.0, 200.0),)
    with pytest.raises(SpecError, match="values: expected numbers in mV, found some in 'A'"):
        SampledWaveform(values=[100, 200] * b2.pA, unit="mV", interval="1 ms")


def test_the_dimensions_of_a_waveform_count_by_their_names():
    values = xr.DataArray([[1.0, 2, 3], [4, 5, 6]], dims=("neuron", "time"))
    for given in (values, values.T, values.values, values.T.variable):
        found = SampledWaveform(values=given, unit="pA", interval="1 ms")
        assert found.values == ((1, 2, 3), (4, 5, 6))
    with pytest.raises(SpecError, match="values: expected an array along neuron, time, found dimensions called cell"):
        SampledWaveform(values=values.rename(neuron="cell"), unit="pA", interval="1 ms")


def test_the_times_of_a_waveform_are_as_far_apart_as_its_interval():
    def waveform(values):
        return SampledWaveform(values=values, unit="pA", interval="1 ms").values

    def course(times, **attrs):
        return xr.DataArray([1.0, 2, 3], {"time": ("time", times, attrs)}, ["time"])

    def beside(times, dim="time", **attrs):
        return xr.DataArray([1.0, 2, 3], {"t": (dim, times, attrs)}, [dim])

    five = pd.date_range("2024-01-01", periods=3, freq="5ms", tz="Europe/Berlin")
    fine = [
        course([5, 6, 7], units="ms"),
        course(np.array([0.1, 0.101, 0.102], np.float32), units="s"),
        course([0, 5, 10]),
        course(list("abc")),
        course(np.array([-100, 0, 100], np.int8)),
        pd.Series([1.0, 2, 3], pd.date_range("2024-01-01", periods=3, freq="ms")),
        pd.Series([1.0, 2, 3], pd.to_timedelta([1, 2, 3], "ms")),
        pd.Series([1.0, 2, 3], pd.date_range("2024-01-01", periods=3, freq="ms", tz="Europe/Berlin")),
        beside([5, 6, 7], units="ms"),
        beside([5, 3, 9]),
        beside([5, 3, 9], units="mV"),
        beside(list("abc"), units="ms"),
        course([0, 1, 2], units="ms").assign_coords(beside([5, 3, 9], units="ms").coords),
        course([0, 1, 2]).assign_coords(beside([5, 6, 7], "time", units="ms").coords),
        course([0, 1, 2]).assign_coords(beside([5, 3, 9], "time").coords),
    ]
    for values in fine:
        assert waveform(values) == waveform([values]) == ((1, 2, 3),)
    faults = {
        "10 ms on average, from 10 to 10; correct": course([0, 0.01, 0.02], units="s"),
        "25 on average, from 1 to 49; correct": course([0, 1, 50]),
        "10 ms on average": pd.Series([1.0, 2, 3], pd.to_timedelta([10, 20, 30], "ms")),
        "1 ms on average, from 0.5 to 1.5": course([0, 0.5, 2], units="ms"),
        "4 ms on average": course([0, 4, 8], Unit="ms"),
        "2 ms on average": beside([0, 0.002, 0.004], units="s"),
        "3 ms on average": beside([0, 3, 6], "dim_0", units="ms"),
        "6 ms on average": beside(np.array([0, 6, 12], "m8[ms]")),
        "8 ms on average": beside(pd.date_range("2024", periods=3, freq="8ms", tz="UTC")),
        "-1 ms on average": beside([2, 1, 0], units="ms"),
        "7 on average, from 1 to 13": pd.Series([1.0, 2, 3], pd.Index([0, 1, 14], dtype=object)),
    }
    in_zone = [
        pd.Series([1.0, 2, 3], five),
        pd.Series([1.0, 2, 3], five.astype(object)),
        pd.Series([1.0, 2, 3], five.tz_localize(None).to_period("5ms")),
        pd.DataFrame([[1.0, 2, 3]], columns=five),
        xr.DataArray([1.0, 2, 3], {"time": five}, ["time"]),
    ]
    for found, values in [*faults.items(), *(("5 ms on average, from 5 to 5", values) for values in in_zone)]:
        with pytest.raises(
            SpecError, match=f"along time as interval says, 1 ms, or without a unit equally far, found {found}"
        ):
            waveform(values)
    assert waveform([course([0, 1, 2]), course([0, 1, 2])]) == waveform([course([0, 1, 2]), [1, 2, 3]])
    with pytest.raises(
        SpecError, match="expected rows of samples with the same labels, in the same order, found others"
    ):
        waveform([course([0, 1, 2]), course([1, 2, 3])])
    with pytest.raises(SpecError, match=r"expected times as labels along time, found \(0, 0\), which is none"):
        waveform(pd.Series([1.0, 2, 3], pd.MultiIndex.from_product([[0], [0, 1, 2]])))
    with pytest.raises(SpecError, match="expected times along time in ms, found some in 'sample'; convert them"):
        waveform(course([0, 1, 2], units="sample"))


def test_the_dimensions_of_a_course_for_all_neurons_count_by_their_names():
    def waveform(values):
        return SampledWaveform(values=values, unit="pA", interval="1 ms").values

    def trains(times):
        return SpikeTrains(times=times, unit="ms", weight="1 mV").times

    course = xr.DataArray([1.0, 2, 3], {"time": [0, 1, 2]}, ["time"])
    assert waveform(course) == waveform([course]) == waveform(course.to_series()) == ((1, 2, 3),)
    with pytest.raises(SpecError, match="values: expected the labels of an array along time to ascend"):
        waveform(course[::-1])
    with pytest.raises(SpecError, match="values: expected rows with neurons 0, 1, 2, … as they are numbered, found"):
        waveform(xr.DataArray([[1.0, 2], [3, 4]], {"neuron": [1, 0]}, ["neuron", "time"]))
    assert trains(course.rename(time="spike")) == trains([course.to_series().loc[[2, 0, 1]].sort_values()])
    for dim in ("neuron", "foo"):
        for declared in (waveform, trains):
            with pytest.raises(SpecError, match=f"expected an array along time, found dimensions called {dim}; rename"):
                declared(course.drop_vars("time").rename(time=dim))


def test_what_is_labelled_as_that_of_neuron_0_is_not_for_all():
    def waveform(values):
        return SampledWaveform(values=values, unit="pA", interval="1 ms").values

    row = xr.DataArray([[1.0, 2, 3]], dims=["neuron", "time"])
    assert waveform(row) == waveform(row.assign_coords(neuron=[0])[0]) == ((1, 2, 3),)
    for labelled in (row.assign_coords(neuron=[0]), pd.Series([[1.0, 2, 3]], pd.Index([0], name="neuron"))):
        with pytest.raises(SpecError, match=r"found \[0\]; give each neuron its own .* by their places, one for all"):
            waveform(labelled)
