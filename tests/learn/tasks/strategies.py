"""Trials as hypothesis draws them."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from twinbrain import trials_of

N_CHANNELS = 5


@st.composite
def trials(draw, regression=False):
    n_trials, n_steps = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    spikes = draw(hnp.arrays(np.uint8, (n_trials, n_steps, N_CHANNELS), elements=st.integers(0, 1)))
    scored = draw(hnp.arrays(np.float32, (n_trials, n_steps), elements=st.sampled_from([0.0, 1.0])))
    scored[:, draw(st.integers(0, n_steps - 1))] = 1
    if regression:
        return trials_of(
            spikes, np.arange(n_trials * n_steps * 2, dtype=np.float32).reshape(n_trials, n_steps, 2), scored
        )
    target = np.array(draw(st.lists(st.integers(0, 2), min_size=n_trials, max_size=n_trials)))
    features = np.arange(n_trials * 4, dtype=np.float32).reshape(n_trials, 4, 1)
    return trials_of(
        spikes, target, scored, features=features, n_frames=np.full(n_trials, 3), group=np.arange(n_trials)
    )


def dense(found, n_channels=N_CHANNELS):
    return found.spikes(np.arange(len(found)), n_channels)


def same(one, other):
    fields = ("start", "step", "channel", "target", "scored", "features", "n_frames", "group")
    return all(
        (getattr(one, name) is None) == (getattr(other, name) is None)
        and (getattr(one, name) is None or np.array_equal(getattr(one, name), getattr(other, name)))
        for name in fields
    )
