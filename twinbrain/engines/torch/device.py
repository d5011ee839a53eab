"""Where tensors live, and how precise they are."""

from __future__ import annotations

import torch

from twinbrain.errors import EngineError

PRECISIONS = {"float64": torch.float64, "float32": torch.float32}


def resolve_device(name: str) -> torch.device:
    """Return a device that is there.

    Parameters
    ----------
    name : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Raises
    ------
    EngineError
        If there is no such device.
    """
    present = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in present:
        raise EngineError(
            f"run.device: expected a device that is there ({', '.join(present)}), found {name!r}; "
            "use one of these, or install a build of PyTorch that sees the device"
        )
    return torch.device(wanted)


def resolve_precision(name: str) -> torch.dtype:
    """Return the type of the state.

    Raises
    ------
    EngineError
        If it is neither of the two.
    """
    if name not in PRECISIONS:
        raise EngineError(f"run.precision: expected one of {', '.join(PRECISIONS)}, found {name!r}")
    return PRECISIONS[name]


def free_memory(name: str) -> int:
    """Return the bytes that a GPU has free."""
    free: int = torch.cuda.mem_get_info(resolve_device(name))[0]
    return free
