"""Refuse a shard that its machine does not hold."""

from __future__ import annotations

from dataclasses import replace

from twinbrain.engines.base import DEFAULT_DEVICE
from twinbrain.network.plan import BYTES_OF_THE_PROCESS, check_device_memory, check_memory
from twinbrain.run.prepare import Prepared


def check_shard_fits(prepared: Prepared, share: float, *, n_beside: int, device: str) -> None:
    """Refuse a shard that the machine's memory, or the device's, does not hold.

    Parameters
    ----------
    prepared : Prepared
        Of the whole brain.
    share : float
        Part of all work that the shard has.
    n_beside : int
        Number of shards on this machine, itself among them; they are taken to be alike.
    device : str
        Where the engine computes.

    Raises
    ------
    PlanError
        If it needs more than there is.
    """
    plan, run = prepared.plan, prepared.workflow.run
    peak = BYTES_OF_THE_PROCESS + (plan.bytes_peak - BYTES_OF_THE_PROCESS) * share
    of_shards = replace(plan, bytes_peak=round(n_beside * peak), bytes_device=round(plan.bytes_device * share))
    check_memory(of_shards, run.memory_limit)
    if device != DEFAULT_DEVICE:
        from twinbrain.engines.torch.device import free_memory

        check_device_memory(of_shards, device, free_memory(device))
