import numpy as np
import torch

from twinbrain.engines.torch.random import philox
from twinbrain.network.random import philox as shared


def test_philox_gives_the_words_of_the_other_engines():
    words = np.random.default_rng(0).integers(0, 2**32, (6, 500), dtype=np.uint64)
    words[:, :2] = np.array([0, 2**32 - 1])
    counter, key = words[:4], words[4:]
    tensors = [torch.from_numpy(row.astype(np.int64)) for row in words]
    found = torch.stack(philox(tuple(tensors[:4]), *tensors[4:])).numpy()
    np.testing.assert_array_equal(found, shared(counter, key))
