import pytest


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Small tensors are faster on one thread."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
