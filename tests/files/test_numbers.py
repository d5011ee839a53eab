import numpy as np
import pytest

from twinbrain.files import number, numbers

TEXTS = ["0", "-1", "+2.5", ".5", "5.", "1e-3", " 7 "]


def test_a_text_of_a_number_is_that_number():
    expected = [0, -1, 2.5, 0.5, 5, 0.001, 7]
    assert [number(text) for text in TEXTS] == expected
    np.testing.assert_array_equal(numbers(TEXTS), expected)


@pytest.mark.parametrize("text", ["1_0", "1_000.5", "１２", "٣", "−1", "x", ""])
def test_what_python_alone_takes_for_a_number_is_none(text):
    with pytest.raises(ValueError, match=r"convert|expected a number, found"):
        number(text)
    with pytest.raises(ValueError, match="could not convert"):
        numbers(["1", text])
