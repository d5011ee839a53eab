"""Seeds of a sweep."""

import pytest

from twinbrain.errors import SpecError
from twinbrain.spec.axes import axes_of
from twinbrain.spec.seeds import check_seeds
from twinbrain.spec.sweep import Sweep


def check(**data):
    check_seeds(axes_of(Sweep.parse(data)))


@pytest.mark.parametrize("key", ["seed", "run.seed", "drive_seed", "train.task.seed"])
def test_equal_seeds_are_refused(key):
    with pytest.raises(SpecError, match=f"parameters.{key}: expected each value once, found 1 twice"):
        check(parameters={key: [1, 1, 2, 1]})
    with pytest.raises(SpecError, match=f"expected each seed once, found {key} = 1 3 times; equal seeds give equal"):
        check(together=[{key: [1, 1, 2, 1]}])


def test_equal_seeds_that_change_together_or_are_drawn_are_refused():
    with pytest.raises(SpecError, match="found seed = 1, drive_seed = 4 2 times"):
        check(together=[{"seed": [1, 1, 1], "drive_seed": [3, 4, 4]}])
    with pytest.raises(SpecError, match="expected each seed once"):
        check(samples={"n": 4, "parameters": {"seed": {"integers": [0, 2]}}})


@pytest.mark.parametrize(
    "data",
    [
        {"parameters": {"seed": [1, 2, 3]}},
        {"together": [{"seed": [1, 1], "drive_seed": [3, 4]}]},
        {"together": [{"seed": [1, 1], "coupling": [0.5, 1.0]}]},
        {"cases": {"one": {"seed": 1, "coupling": 1.0}, "two": {"seed": 1, "coupling": 2.0}}},
        {"together": [{"coupling": [1.0, 1.0]}]},
        {"parameters": {"seed": [[1], [2]]}},  # no seeds, which is told where they are given
    ],
)
def test_seeds_that_something_else_tells_apart_are_taken(data):
    check(**data)
