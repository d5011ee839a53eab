import pytest
import torch


@pytest.fixture
def one_thread():
    """Small tensors are faster on one core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
