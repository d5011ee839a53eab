"""The made tasks, by what is known of each: the answer can be read from the spikes by the rule that made them."""

import numpy as np
import pytest

import twinbrain as tb

SMALL = {"n_train": 80, "n_validation": 8, "n_test": 40}
MADE = ("intervals", "cue_accumulation", "delayed_match", "store_recall", "patterns", "xor")


def by_group(task, n_neurons=10):
    """Return numbers of spikes, shape (trial, step, group), of the training trials."""
    spikes = task.train.spikes(np.arange(len(task.train)), task.n_channels)
    return spikes.reshape(*spikes.shape[:2], -1, n_neurons).sum(3).swapaxes(0, 1).astype(int)


@pytest.mark.parametrize("name", MADE)
def test_the_same_seed_gives_the_same_trials_and_another_gives_others(name):
    first, again, other = (tb.task(name, seed=seed, **SMALL) for seed in (0, 0, 1))
    assert [len(part) for part in (first.train, first.validation, first.test)] == [80, 8, 40]
    for field in ("start", "step", "channel", "target", "scored"):
        np.testing.assert_array_equal(getattr(first.train, field), getattr(again.train, field))
    assert not np.array_equal(first.train.step, other.train.step)
    assert not np.array_equal(first.train.step[:40], first.test.step[:40])


@pytest.mark.parametrize("name", MADE)
def test_classes_are_in_equal_shares(name):
    task = tb.task(name, **SMALL)
    if task.kind == "classification":
        counts = np.bincount(task.train.target, minlength=task.n_outputs)
        assert np.ptp(counts) <= 1
        assert task.chance == pytest.approx(1 / task.n_outputs, abs=0.02)


def test_the_side_of_more_cues_is_the_answer():
    task = tb.task("cue_accumulation", rate="400 Hz", **SMALL)
    left, right, question, _ = by_group(task).transpose(2, 0, 1)
    bins = slice(0, 7 * 150)
    sides = [side[:, bins].reshape(-1, 7, 150).sum(2) > 0 for side in (left, right)]
    assert (sides[0] ^ sides[1]).all()  # one cue at a time
    np.testing.assert_array_equal(sides[1].sum(1) > 3, task.train.target == 1)
    # 0.7 of the cues agree with the side drawn, and so more with that of most: 0.73 by enumeration.
    agree = np.where(task.train.target[:, None] == 1, sides[1], sides[0]).mean()
    assert agree == pytest.approx(0.74, abs=0.05)
    assert (question[task.train.scored == 0] == 0).all()
    assert question[task.train.scored > 0].mean() == pytest.approx(4, rel=0.05)  # 10 channels at 400 Hz


def test_delays_are_within_their_range():
    task = tb.task("cue_accumulation", shortest_delay="300 ms", longest_delay="400 ms", **SMALL)
    delay = task.train.scored.argmax(1) - 7 * 150
    assert (delay.min(), delay.max()) >= (300, 390)
    assert delay.max() <= 400
    assert (task.train.scored.sum(1) == 150).all()


def test_the_same_stimulus_again_is_a_match():
    task = tb.task("delayed_match", rate="400 Hz", n_stimuli=3, **SMALL)
    groups = by_group(task)
    for trial, label, scored in zip(groups, task.train.target, task.train.scored, strict=True):
        sample = trial[:250, :3].sum(0)
        question = int(scored.argmax())
        second = trial[question - 250 : question, :3].sum(0)
        assert (np.count_nonzero(sample), np.count_nonzero(second)) == (1, 1)
        assert (sample.argmax() == second.argmax()) == (label == 1)
        assert trial[250 : question - 250, :3].sum() == 0
        assert 500 <= question - 500 <= 1000


def test_the_bit_at_the_store_command_is_the_answer_at_the_recall_command():
    task = tb.task("store_recall", rate="500 Hz", frame="50 ms", **SMALL)
    active = by_group(task).reshape(80, 10, 50, 4).sum(2) > 0
    zero, one, store, recall = active.transpose(2, 0, 1)
    assert (store.sum(1) == 1).all()
    assert (recall.sum(1) == 1).all()
    assert (store.argmax(1) < recall.argmax(1)).all()
    np.testing.assert_array_equal(one[np.arange(80), store.argmax(1)], task.train.target == 1)
    np.testing.assert_array_equal(zero ^ one, ~recall)  # a bit in each frame but that of the recall
    np.testing.assert_array_equal(np.repeat(recall, 50, axis=1), task.train.scored > 0)


def test_curves_are_sums_of_the_four_sines():
    task = tb.task("patterns", n_patterns=2, **SMALL)
    curve = task.train.target
    assert curve.shape == (80, 1000, 3)
    np.testing.assert_allclose(abs(curve).max(1), 1, rtol=1e-5)
    power = abs(np.fft.rfft(curve[0], axis=0))  # of 1 s: the n-th coefficient is that of n Hz
    assert (power[[1, 2, 3, 5]] > 10).all()
    assert (np.delete(power, [1, 2, 3, 5], axis=0) < 0.01).all()
    assert len({curve[i].tobytes() for i in range(80)}) == 2
    # The best constant is the mean of all, near 0, and its error the mean square.
    assert task.chance == pytest.approx((task.test.target**2).mean(), rel=0.05)


def test_the_clock_of_a_pattern_tells_the_time_and_which_pattern():
    task = tb.task("patterns", n_patterns=2, **SMALL)
    groups = by_group(task, 4).reshape(80, 5, 200, 10).sum(2)
    for trial, pattern in zip(groups, task.train.group, strict=True):
        assert (np.diag(trial[:, 5 * pattern : 5 * pattern + 5]) > 0).all()
        assert trial.sum() == np.trace(trial[:, 5 * pattern : 5 * pattern + 5])


@pytest.mark.parametrize("coding", ["regular", "latency"])
@pytest.mark.parametrize(
    ("gate", "true"), [("xor", {(0, 1), (1, 0)}), ("and", {(1, 1)}), ("or", {(0, 1), (1, 0), (1, 1)})]
)
def test_gates_are_those_of_logic(gate, true, coding):
    task = tb.task("xor", gate=gate, coding=coding)
    bits = task.train.features[:, 0].astype(int)
    assert [tuple(pair) in true for pair in bits] == (task.train.target == 1).tolist()
    spikes = task.train.spikes(np.arange(len(task.train)), 3)
    if coding == "regular":
        np.testing.assert_array_equal(spikes.sum(0), 6 * np.column_stack([bits, np.ones(len(bits))]))
    else:
        np.testing.assert_array_equal(spikes.argmax(0)[:, :2], 5 * (1 - bits))


@pytest.mark.parametrize("dt", ["0.1 ms", "0.5 ms", "1 ms", "2.5 ms", "5 ms"])
def test_the_rate_of_a_bit_is_the_same_for_every_time_step(dt):
    train = tb.task("xor", dt=dt).train
    assert sorted(set(np.round(train.step * float(dt.split()[0]), 9))) == [0, 5, 10, 15, 20, 25]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("xor", {"dt": "2 ms"}),
        ("xor", {"dt": "10 ms"}),
        ("store_recall", {"dt": "20 ms", "frame": "5 ms"}),
        ("cue_accumulation", {"dt": "1 ms", "shortest_delay": "0.5 ms"}),
        ("delayed_match", {"dt": "0.3 ms"}),
        ("digits", {"dt": "5 ms", "duration": "47 ms"}),
    ],
)
def test_times_that_are_no_whole_numbers_of_steps_are_refused(name, options):
    with pytest.raises(tb.LearnError, match="times of a task that are whole numbers of steps"):
        tb.task(name, **options)


def test_a_latency_beyond_the_trial_is_refused():
    with pytest.raises(tb.LearnError, match="task xor: expected a period shorter than the trial"):
        tb.task("xor", coding="latency", dt="20 ms", duration="20 ms", period="20 ms")


def test_no_plane_parts_the_cases_of_xor():
    """Minsky & Papert's point: of 4 cases a linear unit gets 3 at most, of AND all 4."""
    angle = np.linspace(0, 2 * np.pi, 60)
    normals = np.column_stack([np.cos(angle), np.sin(angle)])
    best = {}
    for gate in ("xor", "and"):
        task = tb.task("xor", gate=gate)
        side = (task.train.features[:, 0] @ normals.T)[..., None] > np.linspace(-2, 2, 41)
        best[gate] = (side == (task.train.target == 1)[:, None, None]).mean(0).max()
    assert best == {"xor": 0.75, "and": 1.0}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cue_accumulation", {"n_cues": 4}, "expected an odd n_cues, found 4"),
        ("cue_accumulation", {"shortest_delay": "2 s"}, "shortest_delay <= longest_delay, found 2000 and 1500 ms"),
        ("store_recall", {"rate": "2 kHz"}, "expected rates up to 1000 Hz, one spike a step, found 2000 Hz"),
        ("intervals", {"noise": "300 Hz", "dt": "4 ms"}, "expected rates up to 250 Hz"),
        ("delayed_match", {"shortest_delay": "2 s"}, "shortest_delay <= longest_delay, found 2000 and 1000 ms"),
    ],
)
def test_options_that_contradict_each_other_are_told(name, options, message):
    with pytest.raises(tb.LearnError, match=message):
        tb.task(name, **options)
