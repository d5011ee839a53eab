"""Networks in PyTorch: batched, on a CPU or a GPU, in float64 (the same bits as other engines) or float32."""

from twinbrain.engines.torch.batch import TorchBatch, prepare_batch
from twinbrain.engines.torch.render import render
from twinbrain.engines.torch.simulation import TorchSimulation, prepare

__all__ = ["TorchBatch", "TorchSimulation", "prepare", "prepare_batch", "render"]
