import pytest


@pytest.fixture
def one_thread():
    """Small tensors are faster on one core."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
