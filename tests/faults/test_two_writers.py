"""Of two that write one store, one is refused, and the other's result is what it gives undisturbed.

Two pairs are tried in every run of the tests, the others, of sweeps too, with the slow ones. With
TWINBRAIN_WRITERS=20 in the environment each is tried as often, 0 to 20 s apart; see docs/reference/robustness.md.
"""

import os
import random
import shutil

import numpy as np
import pytest

from tests.faults.writers import Races, begin, contents

N_TRIES = int(os.environ.get("TWINBRAIN_WRITERS", "1"))
# What begins, and what comes second.
PAIRS = [
    ("run", {}, "run", {"seed": 2, "overwrite": True}),
]
OTHERS = [
    ("resume_training", {}, "resume_training", {}),
    ("sweep", {}, "sweep", {}),
    ("run", {}, "run", {}),
    ("resume", {}, "resume", {}),
    ("resume", {}, "run", {"seed": 2, "overwrite": True}),
    ("train", {}, "train", {}),
    ("train", {}, "train", {"seed": 2, "overwrite": True}),
    ("sweep", {}, "sweep", {"seed": 2, "overwrite": True}),
    ("resume_sweep", {}, "resume_sweep", {}),
]
BEGUN_BY = {"resume": "run", "resume_training": "train", "resume_sweep": "sweep"}
REFUSED = ("has been writing it since", "expected a free path")


@pytest.fixture(scope="module")
def races():
    with Races() as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(races, tmp_path_factory):
    """What a verb gives alone."""
    known = {}

    def of(verb, options):
        key = (BEGUN_BY.get(verb, verb), options.get("seed", 1))
        if key not in known:
            path = tmp_path_factory.mktemp("undisturbed") / "store.zarr"
            ((error, _),) = races.race(path, [(key[0], {"seed": key[1]})])
            assert error == ""
            known[key] = contents(path)
        return known[key]

    return of


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Stores that were interrupted, by the verb that began them."""
    folder = tmp_path_factory.mktemp("begun")

    def of(verb):
        path = folder / f"{verb}.zarr"
        if not path.exists():
            begin(verb, path)
        return path

    return of


@pytest.mark.parametrize(
    ("first", "its", "second", "options"),
    [*PAIRS, *(pytest.param(*pair, marks=pytest.mark.slow) for pair in OTHERS)],
    ids=str,
)
def test_of_two_writers_one_is_refused_and_the_other_undisturbed(
    races, undisturbed, begun, tmp_path, first, its, second, options
):
    draw = random.Random(f"{first} {second} {options}")
    for number in range(N_TRIES):
        path = tmp_path / f"{number}.zarr"
        if first in BEGUN_BY:
            shutil.copytree(begun(BEGUN_BY[first]), path)
        delay = draw.choice([0.0, 0.05, draw.uniform(0.0, 1.5), draw.uniform(0.0, 20.0 if N_TRIES > 1 else 1.0)])
        one, other = races.race(path, [(first, its), (second, options)], delay)
        for error, _ in (one, other):
            assert error == "" or any(text in error for text in REFUSED), error
        (_, held), (_, held_by_other) = one, other
        # Who has not held a claim has written nothing: it was refused, or found the result that it wanted.
        ends = [(held, first, its)] * bool(held) + [(held_by_other, second, options)] * bool(held_by_other)
        assert ends, (one, other)
        assert len(ends) == 1 or held[1] <= held_by_other[0] or held_by_other[1] <= held[0], (one, other)
        _, verb, its_options = max(ends)
        found, expected = contents(path), undisturbed(verb, its_options)
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value, err_msg=f"{name}, {delay} s apart")
