import keyword

import pytest

from twinbrain.errors import SpecError
from twinbrain.language.names import LONGEST, check_identifier, check_own_name


@pytest.mark.parametrize("name", ["v", "E_L", "tau_2", "x_", "A2_plus", "input", "Cm", "x" * LONGEST])
def test_an_identifier_can_be_a_name(name):
    check_own_name(name)


@pytest.mark.parametrize("name", ["", "_v", "2v", "a__b", "v w", "é", "v.w", "v\n", "x" * (LONGEST + 1), "ｖ", "v-w"])
def test_what_is_no_identifier_is_refused(name):
    with pytest.raises(SpecError, match="expected a name of ASCII letters"):
        check_identifier(name)


@pytest.mark.parametrize(
    "name",
    [*keyword.kwlist, "exp", "exponential", "dt", "t", "k3", "inbox_ampa", "xi_1", "range", "tl"],
)
def test_a_name_with_a_meaning_cannot_be_given(name):
    with pytest.raises(SpecError, match=r"expected a name (that the step does not use itself|of ASCII)"):
        check_own_name(name)
