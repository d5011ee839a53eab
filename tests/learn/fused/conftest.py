import pytest


@pytest.fixture
def small_units(monkeypatch):
    """Let the work be in many units and two threads."""
    torch = pytest.importorskip("torch")
    from twinbrain.learn.fused import numba_kernels, threads

    monkeypatch.setattr(numba_kernels, "_TRIALS", 2)
    monkeypatch.setattr(numba_kernels, "_TILE", 5)
    monkeypatch.setattr(threads, "_WORTH_A_THREAD", 1)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(n_threads)
