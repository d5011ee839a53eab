import tracemalloc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

import twinbrain as tb
from tests.learn.small import rates_task
from twinbrain.errors import LearnError


class Pairs(torch.utils.data.Dataset):
    """Trials whose class is which of two channels is busy; every third is shorter."""

    def __init__(self, n, seed=0):
        rng = np.random.default_rng(seed)
        self.items = []
        for i in range(n):
            rate = np.array([[0.6, 0.1], [0.1, 0.6]])[i % 2]
            self.items.append((torch.tensor(rng.random((20 - 5 * (i % 3 == 0), 2)) < rate).float(), i % 2))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


def test_a_task_holds_the_trials_of_its_datasets():
    train, test = Pairs(20), Pairs(10, seed=1)
    task = tb.task_of(train, test, dt="2 ms")
    assert (task.n_channels, task.n_outputs, task.dt, task.chance) == (2, 2, 2.0, 0.5)
    assert [len(getattr(task, split)) for split in ("train", "validation", "test")] == [16, 4, 10]
    spikes = task.test.spikes(np.arange(10), 2)
    np.testing.assert_array_equal(spikes[:15, 3], test[3][0])
    assert task.test.scored[3].tolist() == [1.0] * 15 + [0.0] * 5
    assert task.test.target.tolist() == [label for _, label in test]
    held = [8, 9, 18, 19]  # every fifth of each class
    for place, trial in enumerate(held):
        spikes = task.validation.spikes(np.array([place]), 2)[:, 0]
        np.testing.assert_array_equal(spikes[: len(train[trial][0])], train[trial][0])


def test_every_class_is_learned_and_watched():
    labels = [i % 5 for i in range(50)] + [5] * 9 + [6] * 2 + [7]
    task = tb.task_of([(np.eye(8)[[label]], label) for label in labels], [(np.eye(8)[[0]], 0)])
    assert np.bincount(task.validation.target).tolist() == [2] * 5 + [1, 1]
    assert np.bincount(task.train.target).tolist() == [8] * 5 + [8, 1, 1]


def test_one_long_trial_takes_no_memory_for_the_others():
    short, long = np.zeros((10, 100), np.uint8), np.zeros((6000, 100), np.uint8)
    long[5999, 7] = 1
    tracemalloc.start()
    try:
        task = tb.task_of([(short, i % 2) for i in range(60)] + [(long, 1)], [(short, 0)], [(short, 0)])
        assert tracemalloc.get_traced_memory()[1] < 6e6  # dense it would be 37 MB
    finally:
        tracemalloc.stop()
    assert (task.train.step.tolist(), task.train.channel.tolist()) == ([5999], [7])
    assert task.train.scored.sum(1).tolist() == [10.0] * 60 + [6000.0]


def test_trials_that_would_not_fit_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=100_000))
    short = [(np.zeros((10, 100), np.uint8), 0)]
    with pytest.raises(LearnError, match=r"fit into the .* GB that are free, found 10 trials of 6,000 steps"):
        tb.task_of([(np.zeros((6000, 100), np.uint8), 0)] * 8, short, short)


def test_a_region_is_trained_on_datasets(tmp_path):
    task = tb.task_of(Pairs(40), Pairs(20, seed=1), Pairs(10, seed=2))
    trained = tb.train(tb.load_region("learning/leaky").scaled(0.2), task, epochs=1, batch_size=10)
    assert trained.curves.attrs["task"] == "dataset"


def test_a_dataset_in_place_of_a_task_is_told_what_to_do():
    with pytest.raises(LearnError, match=r"found a Pairs; of datasets make one: tb.task_of\(train_set, test_set"):
        tb.train(tb.load_region("learning/leaky"), Pairs(4))


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ([], "train: expected trials, found none"),
        (iter([]), "train: expected a dataset that has a length .* found a list_iterator; make a list of it"),
        ({"a": (np.zeros((3, 2)), 0)}, r"train\[0\]: expected a pair of spikes and the number of a class"),
        ([(np.zeros((3, 2)), 0)] * 4, "expected at least 5 trials, two of a class, .* found 4 of 1"),
        ([(np.zeros(3), 0)] * 5, r"train\[0\]: expected spikes of shape \(step, channel\), found \(3,\)"),
        ([np.zeros((3, 2))] * 5, r"train\[0\]: expected a pair"),
        ([(np.zeros((3, 2)), "a")] * 5, r"train\[0\]: expected a pair of spikes and the number of a class"),
        (
            [(np.zeros((3, 2 + i % 2)), 0) for i in range(5)],
            r"expected as many channels in every trial, found \[2, 3\]",
        ),
        ([(np.full((3, 2), 0.5), 0)] * 5, r"train\[0\]: spikes: expected 0 and 1, found 0.5"),
        ([(np.zeros((3, 0)), 0)] * 5, r"train\[0\]: expected spikes of shape \(step, channel\), found \(3, 0\)"),
        ([(np.zeros((3, 2)), i) for i in range(6)], "two of a class, .* found 6 of 6 classes; give validation"),
        ([(torch.zeros(3, 2).to_sparse(), 0)] * 5, r"train\[0\]: expected a pair .*Sparse"),
        ([(np.zeros((3, 2)), np.ma.masked)] * 5, r"train\[0\]: expected a pair .*1 masked"),
    ],
)
def test_what_is_no_dataset_of_spikes_is_refused(train, message):
    with pytest.raises(LearnError, match=message):
        tb.task_of(train, [(np.zeros((3, 2)), 0)])


@pytest.mark.parametrize(("first", "later"), [(bool, 2.0), (bool, np.nan), (np.uint8, 0.5), (np.uint8, 256), (int, 2)])
def test_every_trial_holds_0_and_1_whatever_the_first_is_made_of(first, later):
    given = [(np.zeros((4, 2), first), 0), (np.full((4, 2), later), 1)]
    with pytest.raises(LearnError, match=rf"train\[1\]: spikes: expected 0 and 1, found {later}"):
        tb.task_of(given, [(np.zeros((4, 2)), 0)], [(np.zeros((4, 2)), 0)])


@pytest.mark.parametrize("label", [2.7, "3", -1, 10**12, 2**70, np.inf, np.nan, None, [0, 1]])
def test_a_label_is_the_number_of_a_class(label):
    fine = [(np.zeros((4, 2)), np.float64(1.0)), (np.zeros((4, 2)), torch.tensor(0.0, requires_grad=True))]
    assert tb.task_of(fine, fine, fine).train.target.tolist() == [1, 0]
    with pytest.raises(
        LearnError, match=r"test\[0\]: expected a pair of spikes and the number of a class, a whole one"
    ):
        tb.task_of(fine, [(np.zeros((4, 2)), label)], fine)


def test_a_loader_of_pytorch_takes_the_trials_of_a_task():
    task = rates_task(n_trials=(12, 6, 6))
    batches = list(torch.utils.data.DataLoader(task.dataset("train"), batch_size=5))
    assert [tuple(spikes.shape) for spikes, _ in batches] == [(5, 12, 6), (5, 12, 6), (2, 12, 6)]
    np.testing.assert_array_equal(batches[0][0].transpose(0, 1), task.train.spikes(np.arange(5), 6))
    assert torch.cat([label for _, label in batches]).tolist() == task.train.target.tolist()
    with pytest.raises(LearnError, match=r"use task.dataset\(\)"):
        next(iter(torch.utils.data.DataLoader(task.train)))
    with pytest.raises(LearnError, match="expected one of train, validation, test, found 'held'"):
        task.dataset("held")


def test_a_task_of_its_own_dataset_is_itself():
    task = rates_task(n_trials=(12, 6, 6))
    again = tb.task_of(*(task.dataset(split) for split in ("train", "test", "validation")))
    for split in ("train", "validation", "test"):
        one, other = getattr(task, split), getattr(again, split)
        for name in ("start", "step", "channel", "target", "scored"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_named_dimensions_of_spikes_are_put_in_order_and_others_refused():
    spikes = [xr.DataArray(np.eye(3, 2)[[i % 2, 2, 2]], dims=("step", "channel")) for i in range(10)]
    turned, straight = (
        tb.task_of([(x.T if turn else x, i % 2) for i, x in enumerate(spikes)], [(spikes[0], 0)]) for turn in (1, 0)
    )
    assert turned.n_channels == 2
    assert turned.train.channel.tolist() == straight.train.channel.tolist()
    with pytest.raises(LearnError, match=r"train\[0\]: expected an array along step, channel, found .* time, channel"):
        tb.task_of([(spikes[0].rename(step="time"), 0)], [(spikes[0], 0)])


def test_masked_spikes_are_refused():
    spikes = np.ma.masked_array(np.ones((2, 2)), mask=np.eye(2))
    with pytest.raises(LearnError, match=r"train\[0\]: expected a pair of .*, found 2 masked"):
        tb.task_of([(spikes, 0)], [(np.ones((2, 2)), 0)])


def test_every_item_has_the_same_labels_of_channels_and_steps():
    table = pd.DataFrame(np.eye(4, 3), columns=["A1", "A2", "A3"])
    fine = [(table, 0), (table[:2], 1), (table.values, 0), (xr.DataArray(table, dims=("step", "channel")), 1)]
    assert tb.task_of(fine, fine, fine).train.n_steps == 4
    late = table[::2]
    for other in (table[["A3", "A2", "A1"]], table.set_axis([5, 6, 7], axis=1), late, xr.DataArray(late)):
        along = "step" if len(other) == 2 else "channel"
        with pytest.raises(LearnError, match=rf"expected the labels of t.* along '{along}', in the same order, found"):
            tb.task_of(fine, [(table, 0), (other, 1)], fine)
    plain = pd.DataFrame(np.eye(4, 3))
    for one, other in ((late, table), (plain, plain.set_axis([5, 6, 7], axis=1))):
        with pytest.raises(
            LearnError, match=r"^train\[0\]: expected the labels of train\[1\] along|^train\[1\]: .*\[0\]"
        ):
            tb.task_of([(one, 0), (other, 1)], fine, fine)


@pytest.mark.parametrize(
    "steps",
    [
        range(60),
        np.arange(60, dtype=np.int8),
        np.arange(1e6, 1e6 + 60) * 1e-3,
        pd.timedelta_range(0, periods=60, freq="ms"),
        pd.date_range("2024-01-01", periods=60, freq="ms"),
        pd.date_range("2024-01-01", periods=60, freq="ms", tz="Europe/Berlin"),
    ],
    ids=["places", "small", "seconds", "since", "dates", "zone"],
)
def test_trials_may_be_parts_of_one_recording(steps):
    recording = pd.DataFrame(np.random.default_rng(0).integers(2, size=(60, 3)), index=steps)
    places = [slice(0, 10), slice(10, 20), slice(20, 25), slice(25, 26), slice(26, 60)]
    given = [(recording.iloc[place], i % 2) for i, place in enumerate(places)]
    plain = [(spikes.to_numpy(), label) for spikes, label in given]
    for items in (given, given[::-1]):
        assert tb.task_of(items, items, items).train.scored.sum(1).tolist() == [len(x) for x, _ in items]
    one, other = (tb.task_of(items, items, items).train for items in (given, plain))
    np.testing.assert_array_equal(one.step, other.step)
    with pytest.raises(LearnError, match=r"along 'step'|as far apart along step"):
        tb.task_of(given, [(recording.iloc[[30, 32, 36]], 0)], given)


def test_steps_with_times_are_as_far_apart_as_dt():
    table = pd.DataFrame(np.eye(3, 2), index=pd.to_timedelta([0, 10, 20], "ms"))
    items = [(table, 0), (table, 1)]
    assert tb.task_of(items, items, items, dt="10 ms").dt == 10
    for dt, given in (("1 ms", items), ("10 ms", [(table.set_axis([0, 1, 5]), 0)])):
        with pytest.raises(LearnError, match=rf"train\[0\]: expected samples as far apart along step as dt says, {dt}"):
            tb.task_of(given, items, items, dt=dt)
