"""Lists that stand for sets."""

import pytest

import twinbrain as tb
from twinbrain.errors import SpecError
from twinbrain.spec.record import Record
from twinbrain.spec.training import InputSpec, ReadoutSpec, Trainable


@pytest.mark.parametrize(
    ("declaration", "data", "repeated"),
    [
        (Trainable, ["weight", "C_m", "weight"], "'weight'"),
        (Trainable, {"delay": ["*", "*"]}, "'*'"),
        (InputSpec, {"populations": ["pyr", "pv", "pyr"]}, "'pyr'"),
        (ReadoutSpec, {"populations": ["pyr", "pyr"]}, "'pyr'"),
        (Record, {"state": [{"variable": "v"}, {"variable": "v", "interval": "1 ms"}]}, "StateRecord(variable='v'"),
        (tb.Cell, {"model": "lif", "receptors": ["ampa", "ampa"]}, "'ampa'"),
    ],
)
def test_what_is_named_twice_is_refused(declaration, data, repeated):
    with pytest.raises(SpecError, match="expected each once, found ") as error:
        declaration.parse(data)
    assert repeated in str(error.value)


def test_records_that_differ_in_anything_are_kept():
    state = [{"variable": "v"}, {"variable": "v", "interval": "2 ms"}, {"variable": "v", "neurons": 2}]
    assert len(Record.parse({"state": state}).state) == 3
