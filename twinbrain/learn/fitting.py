"""Whether what a store holds of a training is of the network, the rule and the task that are to go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from twinbrain.learn.curves import empty_curves
from twinbrain.learn.learned import learned
from twinbrain.learn.loop import Learner
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.setup import Setup
from twinbrain.store import TrainingStore
from twinbrain.store.damage import DamageError
from twinbrain.store.root import TRAINING
from twinbrain.store.training import CURVES

Arrays = Mapping[str, NDArray[Any]]

# What the optimisers keep of each parameter beside the number of its steps; plain descent keeps nothing.
_KEPT = {"adam": ("exp_avg", "exp_avg_sq")}


def check_curves(kept: TrainingStore, setup: Setup) -> None:
    """Check that learning curves are those that such a training has.

    Raises
    ------
    DamageError
        If one is missing, or of other dimensions or names.
    """
    found, expected = kept.group(CURVES), empty_curves(setup)
    for name, own in expected.variables.items():
        curve = found.variables.get(name)
        if curve is None or not _same_kind(curve, own):
            what = "none" if curve is None else f"{_told(curve.values)} along {curve.dims}"
            raise _damage(kept, f"{CURVES}/{name}", f"{_told(own.values)} along {own.dims}", what)
        if name in expected.coords and not np.array_equal(curve.values, own.values):
            raise _damage(kept, f"{CURVES}/{name}", "the names that this model gives", "others")
    for key, value in expected.attrs.items():
        if found.attrs.get(key) != value:
            raise _damage(kept, CURVES, f"the {key} {value!r} of this training", "another")


def check_trained(kept: TrainingStore, trained: Arrays, network: TrainableNetwork) -> None:
    """Check that what was learned is of a network.

    Raises
    ------
    DamageError
        If not.
    """
    _check_alike(kept, "trained", trained, {name: value.cpu().numpy() for name, value in learned(network).items()})


def check_state(kept: TrainingStore, state: Arrays, learner: Learner) -> None:
    """Check that a state is one from which a learner can go on.

    Parameters
    ----------
    kept : TrainingStore
        The training.
    state : mapping of str to ndarray
        What it goes on from.
    learner : Learner
        Before its first epoch.

    Raises
    ------
    DamageError
        If not.
    """
    place = f"checkpoint/{kept.attributes['checkpoint']}"
    _check_alike(kept, place, state, learner.state() | _of_optimiser(learner, state))
    training, done = learner.setup.training, kept.epochs_done
    epoch, best, best_epoch = state["course"].tolist()
    if epoch != done or best_epoch not in range(1, done + 1) or not np.isfinite(best):
        expected = f"{done} epochs, of which one was best"
        raise _damage(
            kept, f"{place}/course", expected, f"{epoch:g}, of which {best_epoch:g} was, with a loss of {best:g}"
        )
    most = done * -(-len(learner.setup.task.train) // training.batch_size)
    for name, value in state.items():
        is_steps = name.startswith("optimiser ") and name.endswith(" step")
        if is_steps and not (1 <= value <= most and value % 1 == 0):
            raise _damage(kept, f"{place}/{name}", f"a number of steps from 1 to {most}", f"{value:g}")


def _of_optimiser(learner: Learner, state: Arrays) -> dict[str, NDArray[Any]]:
    """Return what an optimiser keeps of those parameters that it has changed, as far as its shape counts."""
    found: dict[str, NDArray[Any]] = {}
    keys = _KEPT.get(learner.setup.rule.optimiser, ())
    for number, parameter in enumerate(learner.optimiser.param_groups[0]["params"]):
        if keys and any(name.startswith(f"optimiser {number} ") for name in state):
            found |= {f"optimiser {number} {key}": parameter.detach().cpu().numpy() for key in keys}
            found[f"optimiser {number} step"] = torch.zeros(()).numpy()
    return found


def _check_alike(kept: TrainingStore, place: str, found: Arrays, expected: Arrays) -> None:
    """Check that arrays have the names, shapes and types that are expected, and that what was learned are numbers."""
    for name in sorted(found.keys() | expected.keys()):
        one, own = found.get(name), expected.get(name)
        if one is None or own is None or (one.shape, one.dtype) != (own.shape, own.dtype):
            raise _damage(kept, f"{place}/{name}", _told(own), _told(one))
        if not name.startswith(("rule ", "optimiser ")) and np.isnan(one).any():
            raise _damage(kept, f"{place}/{name}", "numbers", "one that is none")


def _same_kind(curve: xr.Variable, own: xr.Variable) -> bool:
    """Return whether a curve has the dimensions and the type of another; texts are as wide as the longest."""
    same_type = curve.dtype == own.dtype or curve.dtype.kind == own.dtype.kind == "U"
    return same_type and (curve.dims, curve.shape) == (own.dims, own.shape)


def _told(values: NDArray[Any] | None) -> str:
    return "none" if values is None else f"{values.dtype} of the shape {values.shape}"


def _damage(kept: TrainingStore, key: str, expected: str, found: str) -> DamageError:
    return DamageError(kept.location, key, expected, found, TRAINING.name)
