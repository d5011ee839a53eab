import gc

import torch

from twinbrain.learn.fused import memory

LIKE = torch.zeros(0, dtype=torch.float64)
SIZE = 1 << 17


def test_memory_of_a_tensor_that_is_gone_is_used_again():
    one = memory.empty(LIKE, SIZE)
    place = one.data_ptr()
    del one
    gc.collect()
    assert memory.empty(LIKE, SIZE).data_ptr() == place


def test_memory_is_not_used_again_while_a_view_of_it_lives():
    one = memory.empty(LIKE, 4, SIZE).fill_(1.0)
    view = one[2, 5:]
    del one
    gc.collect()
    others = [memory.empty(LIKE, 4, SIZE).fill_(2.0) for _ in range(20)]
    assert len({other.data_ptr() for other in others}) == 20
    assert (view == 1.0).all()


def test_little_memory_is_held():
    tensors = [memory.empty(LIKE, SIZE) for _ in range(40)]
    del tensors
    gc.collect()
    assert len(memory._free) == memory._MOST


def test_very_large_memory_is_given_back(monkeypatch):
    monkeypatch.setattr(memory, "_LARGEST", 8 * SIZE)
    memory._free.clear()
    for size in (SIZE, SIZE + 1):
        memory.empty(LIKE, size)
        gc.collect()
    assert [part.nbytes for part in memory._free] == [8 * SIZE]


def test_a_gradient_expanded_over_steps_is_one_step():
    gradient = torch.arange(6.0).view(2, 3)
    assert memory.each_step(gradient.expand(5, 2, 3)).shape == (1, 2, 3)
    assert memory.each_step(gradient.expand(5, 2, 3).clone()).shape == (5, 2, 3)
