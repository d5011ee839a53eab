"""Linear decoders: scores of the classes that are linear in the responses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbrain.analysis.responses import Classes
from twinbrain.analysis.varies import ROUNDING

Floats = NDArray[np.floating]


def centroids(values: Floats, classes: Classes) -> tuple[Floats, Floats]:
    """Return the weights (neuron, label) and offsets (label,) by which the nearest class mean scores highest.

    Parameters
    ----------
    values : numpy.ndarray, shape (trial, neuron)
        Responses.
    classes : Classes
        Of the trials.
    """
    mean = classes.means(values)
    return mean.T, -(mean**2).sum(axis=1) / 2


def linear_discriminant(values: Floats, classes: Classes) -> tuple[Floats, Floats]:
    """Return the weights (neuron, label) and offsets (label,) of Fisher's linear discriminant.

    Parameters
    ----------
    values : numpy.ndarray, shape (trial, neuron)
        Responses.
    classes : Classes
        Of the trials.
    """
    mean = classes.means(values)
    residual = values - mean[classes.index]
    # Rounding of the means is no spread.
    residual[np.abs(residual) <= ROUNDING * np.abs(values).max(axis=0, initial=0)] = 0
    covariance = shrunk_covariance(residual)
    weight: Floats = np.linalg.solve(covariance, mean.T)
    prior: Floats = np.log(np.maximum(classes.n_trials, 1) / len(values))
    return weight, prior - (mean.T * weight).sum(axis=0) / 2


def shrunk_covariance(residual: Floats) -> Floats:
    """Return the covariance of residuals (sample, neuron) about 0, shrunk as Ledoit and Wolf do.

    It lies between the covariance and the multiple of the identity of the same trace, as near to this as the sample is
    small [1]_.

    Parameters
    ----------
    residual : numpy.ndarray, shape (sample, neuron)
        Of mean 0.

    References
    ----------
    .. [1] Ledoit & Wolf 2004, doi 10.1016/S0047-259X(03)00096-4
    """
    n, n_neurons = residual.shape
    covariance = residual.T @ residual / n
    level = np.trace(covariance) / n_neurons
    if level <= 0:
        return np.eye(n_neurons)
    target = level * np.eye(n_neurons)
    distance = ((covariance - target) ** 2).sum()
    # Sum of squared distances of each sample's outer product from the covariance, over n squared.
    error = ((residual**2).sum(axis=1) ** 2).sum() / n**2 - (covariance**2).sum() / n
    share = min(error / distance, 1.0) if distance > 0 else 1.0
    shrunk = share * target + (1 - share) * covariance
    # Without any spread in a direction, and no shrinkage, it could not be inverted.
    return shrunk + 1e-9 * target
