import os

import numpy as np
import pytest

from twinbrain.errors import SpecError
from twinbrain.network.given import pinned, read_samples, read_trains
from twinbrain.spec.drive import Drive
from twinbrain.spec.signal import SampledWaveform, SpikeTrains


def trains(**given):
    return read_trains(SpikeTrains.parse({"unit": "ms", "weight": "1 nS"} | given))


def samples(**given):
    return read_samples(SampledWaveform.parse({"unit": "pA", "interval": "1 ms"} | given))


def test_times_are_read_in_their_unit():
    assert [train.tolist() for train in trains(times=[[0, 0.5], [], [0.25]], unit="s")] == [[0, 500], [], [250]]
    assert [train.tolist() for train in trains(times=[1, 2.5])] == [[1, 2.5]]


@pytest.mark.parametrize("suffix", ["npz", "csv"])
def test_spikes_of_a_file_are_sorted_to_their_neurons(tmp_path, suffix):
    path = tmp_path / f"spikes.{suffix}"
    time, neuron = [1.0, 2.0, 2.5, 7.0], [3, 0, 3, 0]
    if suffix == "npz":
        np.savez(path, time=time, neuron=neuron)
    else:
        path.write_text("time,neuron\n" + "".join(f"{t},{n}\n" for t, n in zip(time, neuron, strict=True)))
    assert [train.tolist() for train in trains(file=str(path))] == [[2, 7], [], [], [1, 2.5]]


def test_a_file_without_spikes_gives_none(tmp_path):
    (tmp_path / "none.csv").write_text("time,neuron\n")
    assert trains(file=str(tmp_path / "none.csv")) == []


def test_a_waveform_of_a_file_has_a_row_for_all_or_one_a_neuron(tmp_path):
    np.save(tmp_path / "one.npy", [1.0, 2.0, 3.0])
    np.save(tmp_path / "each.npy", [[1, 2], [3, 4], [5, 6]])
    (tmp_path / "one.csv").write_text("1\n2\n3\n")
    (tmp_path / "each.csv").write_text("1,2\n3,4\n5,6\n")
    for suffix in ("npy", "csv"):
        assert samples(file=str(tmp_path / f"one.{suffix}")).tolist() == [[1, 2, 3]]
        assert samples(file=str(tmp_path / f"each.{suffix}")).tolist() == [[1, 2], [3, 4], [5, 6]]
    np.save(tmp_path / "once.npy", [[1.0], [2.0], [3.0]])
    assert samples(file=str(tmp_path / "once.npy")).tolist() == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([[1], [-0.5]], r"spikes\.times: expected times of at least 0, found -0\.5 ms of neuron 1"),
        ([[1, 3, 2]], r"spikes\.times: expected ascending times, found 2 ms after 3 ms of neuron 0; sort them"),
    ],
)
def test_times_that_cannot_be_are_refused(times, message):
    with pytest.raises(SpecError, match=message):
        trains(times=times)


def test_every_train_that_is_wrong_is_reported():
    with pytest.raises(SpecError) as caught:
        trains(times=[[-1], [1], [2, 1]])
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("lost.npz", None, r"lost\.npz: expected a file, found none; check the path"),
        (
            "text.csv",
            "time,neuron\n1,a\n",
            r"text\.csv: expected numbers in \.npy, \.npz or \.csv, found could not conv",
        ),
        ("digits.csv", "time,neuron\n1_0,1\n", r"digits\.csv: expected numbers in .*, found could not .* '1_0'"),
        ("names.csv", "when,who\n1,2\n", r"names\.csv: expected arrays time and neuron"),
        ("table.xlsx", "", r"found a file of another kind, 'table\.xlsx'"),
        ("broken.npz", "no archive", r"broken\.npz: expected numbers in"),
        ("twice.csv", "time,neuron,time\n1,0,2\n", "found a column twice under the header 'time,neuron,time'"),
        ("half.csv", "time,neuron\n1,0.5\n", "expected neurons counted from 0"),
        ("minus.csv", "time,neuron\n1,-1\n", "expected neurons counted from 0"),
        ("nan.csv", "time,neuron\nnan,1\n", "expected as many finite times as neurons"),
    ],
)
def test_a_file_that_holds_no_spikes_is_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(SpecError, match=message) as caught:
        trains(file=str(tmp_path / name))
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 2, 2)), r"expected shape \(sample,\) or \(neuron, sample\), found \(2, 2, 2\)"),
        (np.zeros(0), "expected shape"),
        (np.array([1.0, np.inf]), "expected finite numbers"),
        (np.array([True, False]), r"expected numbers in \.npy, \.npz or \.csv, found truth values"),
    ],
)
def test_a_file_that_holds_no_waveform_is_refused(tmp_path, array, message):
    np.save(tmp_path / "w.npy", array)
    with pytest.raises(SpecError, match=message):
        samples(file=str(tmp_path / "w.npy"))


def test_rows_of_unequal_length_are_refused():
    with pytest.raises(
        SpecError, match=r"waveform\.values: expected rows of one length above 0, found lengths \[1, 2\]"
    ):
        samples(values=[[1], [1, 2]])


def test_a_drive_that_is_pinned_knows_its_file_again(tmp_path, monkeypatch):
    np.save(tmp_path / "w.npy", [1.0, 2.0])
    monkeypatch.chdir(tmp_path)
    drive = Drive(population="e", waveform={"file": "w.npy", "unit": "pA", "interval": "1 ms"})
    kept = pinned(drive)
    monkeypatch.chdir("/")
    assert read_samples(kept.waveform).tolist() == [[1, 2]]
    assert pinned(kept) == kept
    np.save(tmp_path / "w.npy", [1.0, 2.5])
    for read in (lambda: read_samples(kept.waveform), lambda: pinned(kept)):
        with pytest.raises(SpecError, match="the file has changed"):
            read()


def test_a_drive_without_a_file_needs_no_pin():
    drive = Drive(population="e", current="1 pA")
    assert pinned(drive) is drive


def test_a_long_table_is_taken_apart_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("twinbrain.network.given._BLOCK", 10)
    rows = np.arange(60.0).reshape(30, 2)
    path = tmp_path / "w.csv"
    path.write_text("\r\n".join(f"{a}, {b}" for a, b in rows.tolist()) + "\n\n")
    np.testing.assert_array_equal(samples(file=str(path)), rows)
    path.write_text("time,neuron\r\n\n" + "".join(f"{a},{b:.0f}\n" for a, b in rows.tolist()))
    assert len(trains(file=str(path))) == 60
    for text, message in (
        ("1\n" * 20 + "1,2\n", "rows of 1 and of 2 numbers"),
        ("1\n" * 20 + "1_0\n", "could not convert to a number: '1_0'"),
    ):
        path.write_text(text)
        with pytest.raises(SpecError, match=message):
            samples(file=str(path))


def test_a_file_is_read_anew_when_its_contents_change_and_its_size_and_time_do_not(tmp_path):
    path = tmp_path / "w.npy"
    for value in (1.0, 2.0):
        np.save(path, [value, value])
        os.utime(path, ns=(1_000, 1_000))
        assert samples(file=str(path)).tolist() == [[value, value]]
