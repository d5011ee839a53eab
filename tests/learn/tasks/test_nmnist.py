import numpy as np
import pytest

import twinbrain as tb


def write(path, events):
    """Write events (column, row, polarity, µs) in the 40 bits of the data set."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [[x, y, polarity << 7 | time >> 16, time >> 8 & 0xFF, time & 0xFF] for x, y, polarity, time in events]
    path.write_bytes(np.array(rows, np.uint8).tobytes())


EVENTS = [(0, 0, 0, 0), (33, 33, 1, 70_000), (5, 2, 1, 299_999), (5, 2, 1, 300_000)]


@pytest.fixture(params=["", "NMNIST"])
def folder(tmp_path, request):
    for part, n in (("Train", 4), ("Test", 1)):
        for digit in range(10):
            for i in range(n):
                write(tmp_path / request.param / part / str(digit) / f"{i:05d}.bin", EVENTS)
    return tmp_path


def test_events_are_read_as_they_are(folder):
    task = tb.task("nmnist", folder=str(folder))
    assert [len(part) for part in (task.train, task.validation, task.test)] == [36, 4, 10]
    assert task.test.target.tolist() == list(range(10))
    assert (task.n_channels, task.n_outputs, task.test.n_steps, task.chance) == (2312, 10, 300, 0.1)
    first = slice(task.test.start[0], task.test.start[1])
    assert task.test.step[first].tolist() == [0, 70, 299]  # the last is after the end of the trial
    assert task.test.channel[first].tolist() == [0, 2311, 34 * 34 + 2 * 34 + 5]


def test_the_clock_that_went_over_is_put_right(folder):
    file = next(folder.rglob("Test")) / "0" / "00000.bin"
    write(file, [(1, 1, 0, 8000), (0, 240, 0, 0), (1, 1, 0, 100)])  # 8192 µs pass at an overflow
    task = tb.task("nmnist", folder=str(folder))
    assert task.test.step[: task.test.start[1]].tolist() == [8]
    finer = tb.task("nmnist", folder=str(folder), dt="0.1 ms")
    assert finer.test.step[: finer.test.start[1]].tolist() == [80, 82]


def test_a_part_can_be_read(folder):
    task = tb.task("nmnist", folder=str(folder), n_train=10, n_validation=2, n_test=5)
    assert [len(part) for part in (task.train, task.validation, task.test)] == [10, 2, 5]
    assert len(set(task.train.target)) == 10


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"1234567", "5 bytes an event, found 7 bytes"), (b"", "found 0 bytes"), (bytes([34, 0, 0, 0, 0]), "found 34")],
)
def test_a_damaged_file_is_told(folder, content, message):
    file = next(folder.rglob("Test")) / "3" / "00000.bin"
    file.write_bytes(content)
    with pytest.raises(tb.LearnError, match=message) as error:
        tb.task("nmnist", folder=str(folder))
    assert str(file) in str(error.value)


def test_folders_that_are_missing_or_empty_are_told(tmp_path):
    with pytest.raises(tb.LearnError, match="found no such folder"):
        tb.task("nmnist", folder=str(tmp_path))
    (tmp_path / "Train").mkdir()
    with pytest.raises(tb.LearnError, match="found no files in Train/0, Train/1, "):
        tb.task("nmnist", folder=str(tmp_path))


@pytest.mark.parametrize("part", ["Train", "Test"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_digit_without_recordings_is_told(folder, part, is_there):
    own = next(folder.rglob(part)) / "7"
    for file in own.iterdir():
        file.unlink()
    if not is_there:
        own.rmdir()
    with pytest.raises(tb.LearnError, match=f"found no files in {part}/7;"):
        tb.task("nmnist", folder=str(folder))
