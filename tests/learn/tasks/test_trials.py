import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.learn.tasks.strategies import N_CHANNELS, dense, same, trials
from twinbrain import LearnError, trials_of
from twinbrain.learn.tasks.trials import Trials, events_of, join


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=6), elements=st.integers(0, 1)))
def test_events_and_dense_spikes_tell_the_same(spikes):
    found = trials_of(spikes, np.zeros(len(spikes), np.int64))
    np.testing.assert_array_equal(dense(found, spikes.shape[2]), spikes.transpose(1, 0, 2))
    np.testing.assert_array_equal(np.bincount(found.trial, minlength=len(spikes)), spikes.sum((1, 2)))


@given(trials(), st.data())
def test_taken_trials_are_those_asked_for_in_that_order(found, data):
    index = np.array(data.draw(st.lists(st.integers(0, len(found) - 1), max_size=6)), np.int64)
    taken = found.take(index)
    np.testing.assert_array_equal(dense(taken), found.spikes(index, N_CHANNELS))
    for name in ("target", "scored", "features", "n_frames", "group"):
        np.testing.assert_array_equal(getattr(taken, name), getattr(found, name)[index])


@given(trials(), st.data())
def test_parts_that_are_joined_make_the_whole(found, data):
    cut = data.draw(st.integers(0, len(found)))
    index = np.arange(len(found))
    assert same(join([found.take(index[:cut]), found.take(index[cut:])]), found)


@given(trials(), st.randoms(use_true_random=False))
def test_events_are_put_in_order_and_doubles_left_out(found, random):
    order = np.array(random.sample(range(len(found.step)), len(found.step)) + list(range(len(found.step))), np.int64)
    events = events_of(found.trial[order], found.step[order], found.channel[order], len(found))
    for got, wanted in zip(events, (found.start, found.step, found.channel), strict=True):
        np.testing.assert_array_equal(got, wanted)
        assert got.dtype == wanted.dtype


def test_spikes_that_are_not_0_or_1_are_refused():
    with pytest.raises(LearnError, match="expected 0 and 1, found 2"):
        trials_of(np.full((1, 1, 1), 2, np.uint8), np.zeros(1, np.int64))


@pytest.mark.parametrize("wrong", [0.4, -1.0, float("nan"), 1.5])
def test_numbers_between_0_and_1_are_no_spikes(wrong):
    with pytest.raises(LearnError, match=f"expected 0 and 1, found {wrong}"):
        trials_of(np.array([[[0.0, 1.0, wrong]]]), [0])


@pytest.mark.parametrize("kind", [list, np.float32, bool, torch.tensor])
def test_spikes_can_be_given_as_lists_and_numbers_of_any_kind(kind):
    spikes = [[[0, 1], [1, 0]], [[1, 1], [0, 0]]]
    expected = trials_of(np.array(spikes, np.uint8), np.array([0, 1]), np.ones((2, 2), np.float32))
    given = spikes if kind is list else kind(spikes) if kind is torch.tensor else np.array(spikes, kind)
    found = trials_of(given, [0, 1], [[1, 1], [1, 1]])
    for name in ("start", "step", "channel", "target", "scored"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_rows_of_unequal_length_are_refused():
    with pytest.raises(LearnError, match="spikes: expected an array, found a list"):
        trials_of([[[0, 1], [1]]], [0])


def test_targets_of_another_number_are_refused():
    with pytest.raises(LearnError, match="one target a trial"):
        trials_of(np.zeros((2, 1, 1), np.uint8), np.zeros(1, np.int64))


def test_named_dimensions_are_put_in_order_and_others_refused():
    rng = np.random.default_rng(0)
    spikes = xr.DataArray(rng.integers(0, 2, (3, 4, 2)), {"trial": list("abc")}, ("trial", "step", "channel"))
    target = xr.DataArray([0, 1, 2], {"trial": list("abc")}, "trial")
    scored = xr.DataArray(rng.random((3, 4)), dims=("trial", "step"))
    expected = trials_of(spikes.values, target.values, scored.values)
    assert same(trials_of(spikes.transpose("trial", "channel", "step"), target, scored.T), expected)
    assert same(trials_of(xr.DataArray(spikes.values), target, scored), expected)
    with pytest.raises(
        LearnError, match=r"spikes: expected an array along trial, step, channel, found .* time, .*; re"
    ):
        trials_of(spikes.rename(step="time"), target)
    with pytest.raises(LearnError, match="target: expected the labels of spikes along 'trial', in the same order"):
        trials_of(spikes, target.isel(trial=[2, 0, 1]))


def test_labels_of_trials_agree_whatever_gives_them():
    spikes = xr.DataArray(np.ones((2, 3, 1)), {"trial": [1, 0]}, ("trial", "step", "channel"))
    for other in (pd.Series([0, 1]), pd.Series([0, 1], index=[0, 1]), xr.DataArray([0, 1], {"trial": [0, 1]}, "trial")):
        with pytest.raises(LearnError, match="target: expected the labels of spikes along 'trial', in the same order"):
            trials_of(spikes, other)
    for labels in ([1, 0], [1.5, 2.5], pd.date_range("2024-01-01", periods=2), ["a", "b"]):
        given = spikes.assign_coords(trial=labels)
        assert trials_of(given, pd.Series([5, 7], index=labels)).target.tolist() == [5, 7]
    assert trials_of(given, pd.Series([5, 7])).target.tolist() == [5, 7]
    with pytest.raises(LearnError, match="scored: expected an array along trial, step, found dimensions called foo, s"):
        trials_of(spikes, [0, 1], pd.DataFrame(np.ones((2, 3))).rename_axis(index="foo", columns="step"))


def test_labels_of_steps_and_channels_ascend_and_named_trials_are_one_array():
    spikes = xr.DataArray(np.ones((2, 3, 4)), dims=("trial", "step", "channel"))
    for dim, labels in (("step", [2, 1, 0]), ("channel", [3, 1, 2, 0])):
        with pytest.raises(LearnError, match=f"spikes: expected the labels of an array along {dim} to ascend"):
            trials_of(spikes.assign_coords({dim: labels}), [0, 1])
    assert len(trials_of(spikes.assign_coords(trial=[1, 0], channel=[1, 2, 5, 7]), [0, 1])) == 2
    with pytest.raises(LearnError, match="spikes: expected an array, found a list of arrays with labels, or names"):
        trials_of([trial.T for trial in spikes], [0, 1])


def test_what_is_masked_or_has_a_unit_is_refused():
    spikes, masked = np.ones((2, 2, 2)), np.ma.masked_array([0, 1], mask=[False, True])
    with pytest.raises(LearnError, match="target: expected an array, found 1 masked"):
        trials_of(spikes, masked)
    with pytest.raises(LearnError, match="spikes: expected an array, found 4 masked"):
        trials_of(np.ma.masked_array(spikes, mask=spikes * [0, 1]), [0, 1])
    with pytest.raises(LearnError, match="target: expected an array without a unit, found some in 's'"):
        trials_of(spikes, np.array([0, 1], "m8[s]"))
    trained = torch.zeros((2, 2, 1), requires_grad=True)
    assert trials_of(spikes, trained).target.shape == (2, 2, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scored": np.full((2, 2), 1j)}, "scored: expected real numbers, found complex128"),
        ({"scored": np.full((2, 2), "1")}, "scored: expected real numbers, found <U1"),
        ({"target": 3}, "target: expected a class for each trial, .* found 3 alone; give one target a trial"),
        ({"target": None}, "target: expected an array, found a NoneType"),
        ({"speaker": [0, 1]}, "no further fields than features, n_frames, group, found speaker"),
        ({"start": [0, 1]}, "no further fields than features, n_frames, group, found start"),
    ],
)
def test_what_is_no_field_of_trials_is_refused(given, message):
    with pytest.raises(LearnError, match=message):
        trials_of(**{"spikes": np.ones((2, 2, 2)), "target": [0, 1]} | given)


@pytest.mark.parametrize("kind", [list, np.ma.masked_array, torch.tensor, xr.DataArray])
def test_trials_of_events_are_arrays_of_numpy(kind):
    events = {"start": [0, 1], "step": [0], "channel": [0], "target": [0], "scored": [[1.0]]}
    Trials(**{name: np.array(values) for name, values in events.items()})
    with pytest.raises(LearnError, match=r"trials: start: expected an array of NumPy, found a .*; give np.array"):
        Trials(**{name: kind(values) for name, values in events.items()})
