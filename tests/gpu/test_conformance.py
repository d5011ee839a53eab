"""What holds without a GPU holds on one; skipped where there is none."""

from functools import partial

import pytest
import torch

from tests.examples import build_brain, small_brain
from twinbrain.engines.conformance import CHECKS
from twinbrain.engines.torch import prepare
from twinbrain.spec.record import Record, StateRecord

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


@pytest.fixture(scope="module")
def network():
    states = (StateRecord(variable="v", neurons=3, interval="0.7 ms"),)
    return build_brain(small_brain(6, coupling=1.3), record=Record(state=states))


@pytest.mark.parametrize("fused", [False, True], ids=["operations", "kernels"])
@pytest.mark.parametrize("check", CHECKS)
def test_a_gpu_gives_the_spikes_and_states_of_the_reference(check, fused, network):
    check(partial(prepare, device="cuda", fused=fused), network, 1000)
