from itertools import product

import pytest
import torch

from twinbrain.errors import LearnError
from twinbrain.learn.baselines.threshold_unit import ThresholdUnit, gate

TRUTH = {
    "and": all,
    "or": any,
    "nand": lambda x: not all(x),
    "nor": lambda x: not any(x),
    "not": lambda x: not x[0],
    "majority": lambda x: sum(x) >= 2,
}


def answers(unit, n_inputs):
    inputs = torch.tensor(list(product((0.0, 1.0), repeat=n_inputs)))[None]
    return unit(inputs)[0, :, 0].tolist()


@pytest.mark.parametrize("name", TRUTH)
def test_a_unit_is_a_logic_gate(name):
    unit = gate(name)
    n_inputs = len(unit.weight)
    expected = [float(TRUTH[name](x)) for x in product((0, 1), repeat=n_inputs)]
    assert answers(unit, n_inputs) == expected


def test_no_single_unit_is_exclusive_or_and_all_other_gates_of_two_inputs_but_its_opposite_are():
    # Every function of two inputs that a unit can be, it can be with weights of -1, 0 and 1.
    weights, thresholds = product((-1.0, 0.0, 1.0), repeat=2), (-1.5, -0.5, 0.5, 1.5)
    found = {tuple(answers(ThresholdUnit(w, t), 2)) for w, t in product(weights, thresholds)}
    assert set(product((0.0, 1.0), repeat=4)) - found == {(0, 1, 1, 0), (1, 0, 0, 1)}
    finer = product(torch.linspace(-2, 2, 9).tolist(), repeat=3)
    assert not any(answers(ThresholdUnit((a, b), t), 2) == [0, 1, 1, 0] for a, b, t in finer)


def test_three_units_in_two_layers_are_exclusive_or():
    inputs = torch.tensor([[[0.0, 0], [0, 1], [1, 0], [1, 1]]])
    hidden = torch.cat([gate("or")(inputs), gate("nand")(inputs)], 2)
    assert gate("and")(hidden)[0, :, 0].tolist() == [0, 1, 1, 0]


def test_a_gate_that_is_no_single_unit_is_refused():
    with pytest.raises(LearnError, match="from several units"):
        gate("xor")
