"""Sums of rows times numbers, inside compiled loops: what a product with a matrix is made of."""

# Compiled functions have no type hints: numba infers their types.
# mypy: disable-error-code="no-untyped-def,call-arg"

from __future__ import annotations

import numba

from twinbrain.learn.fused.scalar import Disjoint

# So many columns and rows of a matrix stay in a near cache while all rows of a product take them.
_COLUMNS, _ROWS = 256, 64

_rows = numba.njit(cache=True, nogil=True, error_model="numpy", pipeline_class=Disjoint)


@_rows
def add_row(out, factor, row):
    """Add ``factor*row`` to ``out``."""
    for i in range(row.shape[0]):
        out[i] += factor * row[i]


@_rows
def copy_tile(out, out_row, out_column, given, row, column, n_rows, n_columns):
    """Copy a part of each matrix of ``given`` into ``out``: numba takes seconds to compile an assignment of slices."""
    for k in range(given.shape[0]):
        for i in range(n_rows):
            for j in range(n_columns):
                out[k, out_row + i, out_column + j] = given[k, row + i, column + j]


@_rows
def add_four_rows(out, a, b, c, d, row_a, row_b, row_c, row_d):
    """Add four rows, each times a number, one after the other."""
    for i in range(out.shape[0]):
        out[i] = (((out[i] + a * row_a[i]) + b * row_b[i]) + c * row_c[i]) + d * row_d[i]


# Multiplying and adding in one instruction rounds once and takes half the time.
@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"}, pipeline_class=Disjoint)
def _add_four_to_four(out_a, out_b, out_c, out_d, a, b, c, d, row_a, row_b, row_c, row_d):
    for i in range(out_a.shape[0]):
        one, two, three, four = row_a[i], row_b[i], row_c[i], row_d[i]
        out_a[i] = (((out_a[i] + a[0] * one) + a[1] * two) + a[2] * three) + a[3] * four
        out_b[i] = (((out_b[i] + b[0] * one) + b[1] * two) + b[2] * three) + b[3] * four
        out_c[i] = (((out_c[i] + c[0] * one) + c[1] * two) + c[2] * three) + c[3] * four
        out_d[i] = (((out_d[i] + d[0] * one) + d[1] * two) + d[2] * three) + d[3] * four


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _four(row, k):
    return row[k], row[k + 1], row[k + 2], row[k + 3]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def add_product_of(out, given, matrix):
    """Add ``given @ matrix`` to ``out``, whose rows are contiguous, as the matrix is."""
    n_rows, n_inner, n_columns = out.shape[0], matrix.shape[0], matrix.shape[1]
    for i in range(0, n_columns, _COLUMNS):
        j = min(i + _COLUMNS, n_columns)
        for first in range(0, n_inner, _ROWS):
            last = min(first + _ROWS, n_inner)
            whole = last - (last - first) % 4
            for k in range(first, whole, 4):
                a, b, c, d = matrix[k, i:j], matrix[k + 1, i:j], matrix[k + 2, i:j], matrix[k + 3, i:j]
                for n in range(0, n_rows - 3, 4):
                    _add_four_to_four(
                        *(out[n, i:j], out[n + 1, i:j], out[n + 2, i:j], out[n + 3, i:j]),
                        *(_four(given[n], k), _four(given[n + 1], k), _four(given[n + 2], k), _four(given[n + 3], k)),
                        *(a, b, c, d),
                    )
                for n in range(n_rows - n_rows % 4, n_rows):
                    add_four_rows(out[n, i:j], *_four(given[n], k), a, b, c, d)
            for k in range(whole, last):
                for n in range(n_rows):
                    add_row(out[n, i:j], given[n, k], matrix[k, i:j])
