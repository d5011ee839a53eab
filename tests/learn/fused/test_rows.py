import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twinbrain.learn.fused.rows import add_product_of


@given(st.integers(1, 11), st.integers(1, 140), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_a_product_is_the_product_at_every_size(n_rows, n_inner, n_columns, seed):
    rng = np.random.default_rng(seed)
    out, matrix = rng.normal(size=(n_rows, n_columns)), rng.normal(size=(n_inner, n_columns))
    # Rows need not follow each other.
    rows = rng.normal(size=(n_rows, 2, n_inner))[:, 1]
    expected = out + rows @ matrix
    add_product_of(out, rows, matrix)
    np.testing.assert_allclose(out, expected, rtol=1e-11, atol=1e-11)
