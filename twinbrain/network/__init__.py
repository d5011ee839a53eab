"""The lowering: from a brain to a network of a few flat blocks and synapse tables."""

from twinbrain.cache import spare_numba

spare_numba()  # before any function that numba compiles is imported, here and in the layers above
