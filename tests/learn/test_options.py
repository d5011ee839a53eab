import brian2 as b2
import pytest

from twinbrain.errors import SpecError
from twinbrain.learn.options import Time, given_options


def rule(tau: Time = 20.0) -> None: ...


def test_a_time_is_a_text_or_a_number_of_ms():
    assert given_options(rule, {"tau": "0.01 s"}, "rule") == given_options(rule, {"tau": 10}, "rule") == {"tau": 10.0}
    with pytest.raises(SpecError, match='rule: tau: expected a quantity in ms such as "10 ms", found 10'):
        given_options(rule, {"tau": 10 * b2.ms}, "rule")
