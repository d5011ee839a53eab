import multiprocessing

import pytest
import torch

from twinbrain.learn.fused import threads
from twinbrain.learn.threads import one_thread, single_thread

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def cores():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def shares(size=10**7, n_units=8):
    """Return the ranges that work was called with."""
    found = []
    threads.share(n_units, size, lambda first, last: found.append((first, last)))
    return sorted(found)


def test_work_is_shared_among_as_many_threads_as_pytorch_has():
    assert shares() == [(0, 2), (2, 5), (5, 8)]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # a fork beside threads
def test_work_is_shared_in_a_process_that_was_forked_from_one_with_threads():
    expected = shares()
    answers = multiprocessing.get_context("fork").SimpleQueue()
    process = multiprocessing.get_context("fork").Process(target=lambda: answers.put(shares()))
    process.start()
    process.join(60)
    waits = process.is_alive()
    process.kill()
    assert not waits
    assert answers.get() == expected


def test_little_work_is_not_shared():
    assert shares(size=100) == [(0, 8)]


def test_an_error_in_any_share_is_raised():
    def work(first, last):
        if last == 8:
            raise ValueError("in the last share")

    with pytest.raises(ValueError, match="in the last share"):
        threads.share(8, 10**7, work)


def test_kernels_keep_the_cores_that_pytorch_leaves_for_a_small_network():
    with one_thread(100, 10, CPU):
        assert torch.get_num_threads() == 1
        assert len(shares()) == 3
    assert torch.get_num_threads() == 3


def test_where_others_have_work_kernels_take_one_core():
    with single_thread(), one_thread(100, 10, CPU):
        assert torch.get_num_threads() == 1
        assert shares() == [(0, 8)]
