"""A writer that is suspended until another has taken its store over writes nothing once it goes on.

With TWINBRAIN_WRITERS=50 in the environment each verb is suspended as often, anywhere in its course.
"""

import os
import random

import numpy as np
import pytest

from tests.faults.writers import Races, contents

N_TRIES = int(os.environ.get("TWINBRAIN_WRITERS", "3"))
# Who goes on, and for how many seconds the undisturbed verb runs.
VERBS = {"train": ("resume_training", 3.0), "run": ("resume", 3.0), "sweep": ("resume_sweep", 3.0)}
TOLD = ("has been writing it since", "expected to be alone in writing", "as it was left", "expected a ")


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_who_goes_on_after_another_took_over_changes_nothing(tmp_path, verb):
    draw, (resumed, seconds) = random.Random(verb), VERBS[verb]
    with Races() as races:
        ((error, _),) = races.race(tmp_path / "undisturbed.zarr", [(verb, {})])
        assert error == ""
        expected = contents(tmp_path / "undisturbed.zarr")
        for number in range(N_TRIES):
            path, at, until = tmp_path / f"{number}.zarr", draw.uniform(0.0, seconds), draw.uniform(0.0, seconds)
            second = resumed if number % 2 else verb
            told = races.suspend(path, [(verb, {}), (second, {})], at, until)
            for error, _ in told:
                assert error == "" or any(text in error for text in TOLD), error
            if all(error for error, _ in told):  # each found out that the other writes, and it goes on from there
                assert races.race(path, [(resumed, {})])[0][0] == ""
            found = contents(path)
            for name, value in expected.items():
                np.testing.assert_array_equal(found[name], value, err_msg=f"{name}, {at} and {until}: {told}")
