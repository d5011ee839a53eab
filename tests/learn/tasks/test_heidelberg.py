import h5py
import numpy as np
import pytest

import twinbrain as tb


def write(path, labels, precision=np.float16, changes=None):
    """Write a file as the data set's: ragged times in s and units, labels, and who spoke."""
    rng = np.random.default_rng(len(labels))
    times = [np.sort(rng.random(30)).astype(precision) for _ in labels]
    units = [rng.integers(0, 700, 30).astype(np.uint16) for _ in labels]
    times[0], units[0] = np.array([0.0105, 0.0105, 0.25, 1.2], precision), np.array([7, 699, 7, 3], np.uint16)
    times[1], units[1] = times[1][:0], units[1][:0]
    content = {
        "spikes/times": times,
        "spikes/units": units,
        "labels": np.array(labels, np.uint16),
        "extra/speaker": np.arange(len(labels)) % 12,
    } | (changes or {})
    with h5py.File(path, "w") as file:
        for key, value in content.items():
            if value is None:
                continue
            if isinstance(value, list):
                kind = h5py.vlen_dtype(precision if key.endswith("times") else np.uint16)
                dataset = file.create_dataset(key, (len(value),), kind)
                for i, row in enumerate(value):
                    dataset[i] = row
            else:
                file[key] = value
    return path


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "shd_train.h5", list(range(20)) * 3)
    write(tmp_path / "shd_test.h5", list(range(20)))
    for part in ("train", "valid", "test"):
        write(tmp_path / f"ssc_{part}.h5", list(range(35)), np.float32)
    return tmp_path


def test_spikes_of_the_digits_are_read_as_they_are(folder):
    task = tb.task("shd", folder=str(folder))
    assert (task.n_channels, task.n_outputs, task.test.n_steps, task.chance) == (700, 20, 1000, 1 / 20)
    assert [len(part) for part in (task.train, task.validation, task.test)] == [54, 6, 20]
    first = slice(task.test.start[0], task.test.start[1])
    assert task.test.step[first].tolist() == [10, 10, 250]  # and one after the end of the trial
    assert task.test.channel[first].tolist() == [7, 699, 7]
    assert task.test.start[2] == task.test.start[1]
    assert task.test.target.tolist() == list(range(20))
    assert task.test.group.tolist() == [i % 12 for i in range(20)]


def test_neighbouring_channels_and_steps_can_be_pooled(folder):
    task = tb.task("shd", folder=folder, pool=5, dt="250 ms", duration="1.5 s")
    first = slice(task.test.start[0], task.test.start[1])
    assert task.n_channels == 140
    assert list(zip(task.test.step[first], task.test.channel[first], strict=True)) == [(0, 1), (0, 139), (1, 1), (4, 0)]


def test_spikes_of_the_last_part_step_are_read_and_later_ones_are_not(folder):
    changes = {"spikes/times": np.full((20, 3), [0.001, 0.0095, 0.0105]), "spikes/units": np.full((20, 3), [1, 2, 3])}
    write(folder / "shd_test.h5", list(range(20)), changes=changes)
    found = tb.task("shd", folder=str(folder), dt="3 ms", duration="10 ms").test
    assert (found.n_steps, found.step[:2].tolist(), set(found.channel)) == (4, [0, 3], {1, 2})


@pytest.mark.parametrize("dt", [0.1, 0.5, 1.0])
def test_a_time_falls_into_one_step_at_single_and_double_precision(folder, dt):
    time = np.arange(1, 1000)[:, None] / 1000 + [0, dt / 2000]  # ms, and half a step later
    step = np.round(time[:, :1] * 1000 / dt).astype(int).ravel()
    for precision in (np.float64, np.float32):
        rows = list(time.reshape(-1)[None].repeat(20, 0))
        changes = {"spikes/times": rows, "spikes/units": [np.arange(len(row)) % 700 for row in rows]}
        write(folder / "shd_test.h5", list(range(20)), precision, changes)
        found = tb.task("shd", folder=str(folder), dt=f"{dt} ms").test
        assert sorted(found.step[: found.start[1]]) == sorted([*step, *step])


def test_a_time_of_half_precision_is_taken_as_it_stands(folder):
    rows = [np.full(3, 0.021)] * 20  # 0.020996… at half precision
    changes = {"spikes/times": rows, "spikes/units": [np.arange(3)] * 20}
    for precision, step in ((np.float16, 209), (np.float32, 210)):
        write(folder / "shd_test.h5", list(range(20)), precision, changes)
        assert set(tb.task("shd", folder=str(folder), dt="0.1 ms").test.step) == {step}


def test_a_file_without_a_spike_within_the_trial_is_told(folder):
    rows = [np.array([1.5, 250, 900])] * 20  # in ms
    changes = {"spikes/times": rows, "spikes/units": [np.arange(3)] * 20}
    path = write(folder / "shd_test.h5", list(range(20)), np.float32, changes)
    found = (
        rf"{path}: expected spikes within 1000 ms, .* found none in 20 trials, the first at 1\.5 s; are its times in"
    )
    with pytest.raises(tb.LearnError, match=found):
        tb.task("shd", folder=str(folder))


def test_times_in_whole_numbers_are_no_seconds(folder):
    changes = {"spikes/times": np.full((20, 3), [0, 250, 900]), "spikes/units": np.full((20, 3), [1, 2, 3])}  # in ms
    path = write(folder / "shd_test.h5", list(range(20)), changes=changes)
    with pytest.raises(tb.LearnError, match=rf"{path}: expected spikes/times in seconds, .* whole numbers \(int64\)"):
        tb.task("shd", folder=str(folder))


@pytest.mark.parametrize("time", [np.inf, np.nan, -0.001])
def test_a_time_that_no_spike_has_is_told(folder, time):
    rows = [np.array([0.1, time])] + [np.array([0.1])] * 19
    changes = {"spikes/times": rows, "spikes/units": [np.arange(len(row)) for row in rows]}
    write(folder / "shd_test.h5", list(range(20)), np.float32, changes)
    with pytest.raises(tb.LearnError, match="a time below 0, or one that is no finite number"):
        tb.task("shd", folder=str(folder))


def test_files_of_few_trials_are_told(folder):
    write(folder / "shd_train.h5", [0, 1, 2, 3])
    for share, found in ((0.1, r"0 \+ 4"), (0.9, r"4 \+ 0")):
        with pytest.raises(tb.LearnError, match=rf"task shd: expected trials in every part, found {found} of 4"):
            tb.task("shd", folder=str(folder), validation=share)


def test_words_have_a_validation_file_of_their_own_and_a_part_can_be_read(folder):
    task = tb.task("ssc", folder=str(folder), n_train=10)
    assert [len(part) for part in (task.train, task.validation, task.test)] == [10, 35, 35]
    assert (task.n_outputs, task.chance) == (35, 1 / 35)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spikes/units": None}, "found no spikes/units"),
        ({"labels": np.arange(5)}, "found {'spikes/times': 20, 'spikes/units': 20, 'labels': 5}"),
        ({"labels": np.arange(20) + 20}, "expected labels from 0 to 19, found 20 to 39; is it a file of another data"),
        ({"spikes/times": [np.zeros(2)] * 20}, "found other numbers of times than of units"),
        ({"labels": np.array(3)}, "found labels of type int64 and shape ()"),
        ({"labels": np.zeros((20, 2), int)}, "found labels of type int64 and shape (20, 2)"),
        ({"labels": np.array([b"one"] * 20)}, "found labels of type |S3 and shape (20,)"),
        ({"labels": np.zeros(20, [("a", "i4")])}, "found labels of type [('a', '<i4')]"),
        ({"labels": np.arange(20) + 0.9}, "found numbers that are not whole as labels"),
        ({"labels": np.full(20, np.nan)}, "found numbers that are not whole as labels"),
        ({"spikes/times": np.array(3.0)}, "found spikes/times of type float64 and shape ()"),
        ({"spikes/times": np.array([b"one"] * 20)}, "found spikes/times of type |S3 and shape (20,)"),
        ({"spikes/units": np.full((20, 30), 1.9)}, "found other numbers of times than of units"),
        ({"spikes/units": np.full((20, 4), 1.9), "spikes/times": np.zeros((20, 4))}, "not whole as spikes/units"),
        ({"spikes": 3.0, "spikes/times": None, "spikes/units": None}, "found no spikes/times"),
        ({"extra/speaker": np.arange(5)}, "found 5 speakers of 20 trials"),
        ({"extra/speaker": np.array([b"one"] * 20)}, "found extra/speaker of type |S3"),
        ({"extra/speaker/a": np.arange(20), "extra/speaker": None}, "found no extra/speaker"),
        ({"spikes/units": [np.array([700] * 4)] + [np.array([], int)] + [np.zeros(30)] * 18}, "a unit outside 0 … 699"),
    ],
)
def test_a_file_that_cannot_be_right_gives_one_clear_error(folder, changes, message):
    write(folder / "shd_test.h5", list(range(20)), changes=changes)
    with pytest.raises(tb.LearnError) as error:
        tb.task("shd", folder=str(folder))
    assert message in str(error.value)
    assert "shd_test.h5" in str(error.value)


def test_numbers_may_be_kept_as_floats_and_speakers_left_out(folder):
    changes = {"labels": np.arange(20.0), "extra/speaker": None, "extra/keys": np.array(["one"] * 20, "S")}
    changes |= {"spikes/times": np.full((20, 2), 0.5), "spikes/units": np.full((20, 2), 7.0)}
    for part in ("train", "test"):
        write(folder / f"shd_{part}.h5", list(range(20)), changes=changes)
    task = tb.task("shd", folder=str(folder))
    assert task.test.group is None
    assert task.test.target.tolist() == list(range(20))
    assert set(task.test.channel) == {7}


def test_files_that_are_missing_or_no_hdf5_are_told(folder):
    (folder / "shd_test.h5").write_bytes(b"not a file of that kind")
    with pytest.raises(tb.LearnError, match=r"shd_test.h5: expected an HDF5 file, found none"):
        tb.task("shd", folder=str(folder))
    (folder / "shd_test.h5").unlink()
    with pytest.raises(tb.LearnError, match=r"expected shd_test.h5 in .*zenkelab.org"):
        tb.task("shd", folder=str(folder))
