"""Training on a GPU is training on a CPU."""

import numpy as np
import pytest

import twinbrain as tb
from tests.learn.networks import CONDUCTANCE, recurrent, which_channels

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]

SETTINGS = {"epochs": 2, "batch_size": 32, "precision": "float64", "trainable": ["weight", "C_m"]}
REGIONS = {
    "lif": recurrent(),
    "alif and lif": recurrent("alif", "lif_current"),
    "adex, with a background": recurrent(
        "adex",
        receptors=CONDUCTANCE,
        drives=[tb.Drive(population="e", receptor="ampa", rate="1 kHz", weight="4 nS")],
    ),
}


@pytest.mark.parametrize("kind", REGIONS)
def test_two_epochs_on_a_gpu_are_those_on_a_cpu(kind):
    task = which_channels(n_trials=64)
    found = [tb.train(REGIONS[kind], task, device=device, seed=1, **SETTINGS) for device in ("cpu", "cuda")]
    # Sums of a product are in another order there.
    np.testing.assert_allclose(found[1].curves["loss"].values, found[0].curves["loss"].values, rtol=1e-3)
    replayed = found[1].replay("reference", 4)
    assert replayed.mismatched == 0
    assert replayed.n_spikes > 0


def test_mixed_precision_learns():
    task = which_channels(n_trials=192)
    trained = tb.train(recurrent(), task, device="cuda", epochs=8, batch_size=32, precision="mixed", learning_rate=0.03)
    assert trained.score > 2 * task.chance
