"""Keyed randomness: every draw is Philox4x32-10 of a key and a counter, and nothing has a state.

A stream is named by the seed and by what it is for (``("weights", "V1", "pyr->pv:ampa")``); its 64-bit key is the
sha256 of both. A draw's number is its counter. So any part of a brain can be built alone, in any order, and gives the
same numbers.

References
----------
Salmon et al. (2011), doi 10.1145/2063384.2063405.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

M0, M1 = 0xD2511F53, 0xCD9E8D57
W0, W1 = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10

Words = NDArray[np.uint32]
Floats = NDArray[np.float64]


class Key(NamedTuple):
    """The two words of a Philox key."""

    first: int
    second: int


def stream_key(seed: int, *names: str) -> Key:
    """Return the key of the stream that ``seed`` and ``names`` name."""
    digest = hashlib.sha256("\x1f".join((str(seed), *names)).encode()).digest()
    return Key(int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little"))


def philox(counter: NDArray[np.uint64], key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return Philox4x32-10 in plain numpy: the form that others are checked against.

    Parameters
    ----------
    counter : ndarray of uint64, shape (4, n)
        Four 32-bit words each.
    key : ndarray of uint64, shape (2, n) or (2, 1)
        Two 32-bit words each.

    Returns
    -------
    ndarray of uint64, shape (4, n)
        Four 32-bit words each.
    """
    mask, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        p0, p1 = c0 * np.uint64(M0), c2 * np.uint64(M1)
        c0, c1, c2, c3 = (p1 >> shift) ^ c1 ^ k0, p1 & mask, (p0 >> shift) ^ c3 ^ k1, p0 & mask
        k0, k1 = (k0 + np.uint64(W0)) & mask, (k1 + np.uint64(W1)) & mask
    return np.stack(np.broadcast_arrays(c0, c1, c2, c3))


@numba.njit(cache=True, inline="always")
def philox_words(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Return the four words of one counter, for compiled loops; all arguments are uint64 below 2**32."""
    mask = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    for _ in range(ROUNDS):
        p0 = c0 * np.uint64(M0)
        p1 = c2 * np.uint64(M1)
        c0, c1, c2, c3 = (p1 >> shift) ^ c1 ^ k0, p1 & mask, (p0 >> shift) ^ c3 ^ k1, p0 & mask
        k0 = (k0 + np.uint64(W0)) & mask
        k1 = (k1 + np.uint64(W1)) & mask
    return c0, c1, c2, c3


@numba.njit(cache=True)
def _fill(out, first, k0, k1):  # type: ignore[no-untyped-def]
    zero = np.uint64(0)
    for i in range(out.shape[0]):
        a, b, c, d = philox_words(np.uint64(first + i), zero, zero, zero, np.uint64(k0), np.uint64(k1))
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = a, b, c, d


def words(key: Key, n: int) -> Words:
    """Return the first ``n`` 32-bit words of a stream.

    Returns
    -------
    ndarray of uint32, shape (n,)
    """
    out = np.empty((-(-n // 4), 4), dtype=np.uint32)
    _fill(out, 0, key.first, key.second)
    return out.reshape(-1)[:n]


def uniforms(key: Key, n: int) -> Floats:
    """Return the first ``n`` numbers of a stream, uniform in (0, 1), the ends excluded.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    return np.asarray((words(key, n) + 0.5) * 2.0**-32, np.float64)


def integers(key: Key, n: int, high: int) -> NDArray[np.int64]:
    """Return the first ``n`` numbers of a stream, uniform in 0 … high - 1.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    return ((words(key, n).astype(np.uint64) * np.uint64(high)) >> np.uint64(32)).astype(np.int64)
