"""What can be trained, and what is refused."""

import pytest

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels
from twinbrain.errors import LearnError


@pytest.mark.parametrize("names", [["t_ref"], ["weight", "t_ref"]])
def test_refractory_times_cannot_be_trained(names):
    with pytest.raises(LearnError, match=r"^trainable\.t_ref: expected a parameter that has a gradient"):
        tb.train(recurrent(), which_channels(24), epochs=1, trainable=names)


def test_an_unknown_parameter_is_answered_with_those_that_there_are():
    with pytest.raises(LearnError, match=r"^trainable\.tau_m: .* found 'tau_m'; .*E_L, .*time_constant") as error:
        tb.train(recurrent(), which_channels(24), epochs=1, trainable=["tau_m"])
    assert "t_ref" not in str(error.value)
