"""Philox4x32-10 on tensors; see `twinbrain.network.random`."""

from __future__ import annotations

from torch import Tensor

from twinbrain.network.random import M0, M1, ROUNDS, W0, W1

_MASK = 0xFFFFFFFF


def philox(counter: tuple[Tensor | int, ...], first_key: Tensor, second_key: Tensor) -> tuple[Tensor, ...]:
    """Return the four words of each counter.

    Parameters
    ----------
    counter : tuple of four Tensor of int64 or int
        32-bit words.
    first_key, second_key : Tensor of int64, shape (n,)
        32-bit words.

    Returns
    -------
    tuple of four Tensor of int64, shape (n,)
        32-bit words.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = first_key, second_key
    for _ in range(ROUNDS):
        # The products are modulo 2**64; after an arithmetic shift, the mask leaves their high word.
        p0, p1 = c0 * M0, c2 * M1
        c0, c1, c2, c3 = (p1 >> 32 & _MASK) ^ c1 ^ k0, p1 & _MASK, (p0 >> 32 & _MASK) ^ c3 ^ k1, p0 & _MASK
        k0, k1 = k0 + W0 & _MASK, k1 + W1 & _MASK
    return c0, c1, c2, c3  # type: ignore[return-value]
