"""How surely: intervals over seeds, and whether one thing beats another over the same seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from twinbrain.errors import LearnError, SpecError
from twinbrain.spec.labelled import refuse_other_labels
from twinbrain.spec.plain_array import plain_array


@dataclass(frozen=True)
class Interval:
    """A mean, and where it lies.

    Parameters
    ----------
    mean, low, high : float
        The mean, and the ends of its interval.
    n : int
        Number of values.
    level : float
        How often intervals made in this way hold the true mean.
    """

    mean: float
    low: float
    high: float
    n: int
    level: float

    def __str__(self) -> str:
        return f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}] ({self.level:.0%}, n = {self.n})"


@dataclass(frozen=True)
class Comparison:
    """One thing against another over the same seeds.

    Parameters
    ----------
    difference : Interval
        Of the first less the second.
    effect : float
        Mean difference in standard deviations of the differences (Cohen's d for pairs); infinite if they are all alike.
    n_wins, n_ties : int
        Seeds for which the first is larger, and for which neither is.
    sign_p : float
        Of the sign test, two-sided: ties are left out.
    wilcoxon_p : float
        Of Wilcoxon's signed ranks, two-sided. With 5 seeds it cannot be below 0.0625, with 6 not below 0.031.
    """

    difference: Interval
    effect: float
    n_wins: int
    n_ties: int
    sign_p: float
    wilcoxon_p: float

    def __str__(self) -> str:
        return (
            f"difference {self.difference}, effect {self.effect:.2f}, larger in {self.n_wins} of {self.difference.n}, "
            f"p = {self.sign_p:.3g} (sign), {self.wilcoxon_p:.3g} (Wilcoxon)"
        )


def confidence_interval(
    values: ArrayLike, *, level: float = 0.95, method: Literal["t", "bootstrap"] = "t", seed: int = 0
) -> Interval:
    """Return the mean of values, such as accuracies of several seeds, and its interval.

    Parameters
    ----------
    values : array_like, shape (seed,)
        At least 2.
    level : float, optional
        Between 0 and 1.
    method : {"t", "bootstrap"}, optional
        Student's, which takes values as normal, or resampling, bias-corrected and accelerated (Efron 1987, doi
        10.1080/01621459.1987.10478410), which does not; of fewer than ten values the latter is too narrow.
    seed : int, optional
        Of the resampling.

    Raises
    ------
    LearnError
        If there are fewer than 2 values, one is not finite, or the level is not between 0 and 1.
    """
    data = _checked(values, "values")
    if not 0 < level < 1:
        raise LearnError(f"level: expected a number between 0 and 1, found {level}; 0.95 is usual")
    mean = float(data.mean())
    if np.ptp(data) == 0:
        low = high = mean
    elif method == "t":
        half = float(stats.t.ppf((1 + level) / 2, len(data) - 1) * stats.sem(data))
        low, high = mean - half, mean + half
    else:
        rng = np.random.default_rng(seed)
        found = stats.bootstrap((data,), np.mean, confidence_level=level, method="BCa", rng=rng).confidence_interval
        low, high = float(found.low), float(found.high)
    return Interval(mean, low, high, len(data), level)


def compare(first: Sequence[float] | NDArray, second: Sequence[float] | NDArray, *, level: float = 0.95) -> Comparison:
    """Compare two things over the same seeds, pair by pair.

    Parameters
    ----------
    first, second : array_like, shape (seed,)
        Such as accuracies, the same seeds in the same order. A column of some rows of a table of pandas, and that of
        others, are taken by their places.
    level : float, optional
        Of the interval of the difference.

    Raises
    ------
    LearnError
        If they are not pairs, or have other labels than each other (in xarray and pandas), there are fewer than 2, or
        one is not finite.
    """
    one, two = _checked(first, "first"), _checked(second, "second")
    if len(one) != len(two):
        raise LearnError(
            f"compare: expected pairs, found {len(one)} and {len(two)} values; take the same seeds of both"
        )
    try:
        refuse_other_labels(first, second, "pairs", of_one_table=True)
    except SpecError as error:
        raise LearnError(str(error)) from None
    difference = one - two
    mean = float(difference.mean())
    # Differences that are alike differ by rounding, as .9 - .8 and .8 - .7 do.
    rounding = 1e-12 * float(np.abs([one, two]).max())
    spread = spread if (spread := float(difference.std(ddof=1))) > rounding else 0.0
    effect = mean / spread if spread else float(np.sign(mean)) * np.inf if mean else 0.0
    n_wins, n_losses = int((difference > 0).sum()), int((difference < 0).sum())
    decided = n_wins + n_losses
    return Comparison(
        confidence_interval(difference, level=level),
        effect,
        n_wins,
        len(difference) - decided,
        float(stats.binomtest(n_wins, decided).pvalue) if decided else 1.0,
        float(stats.wilcoxon(difference).pvalue) if decided else 1.0,
    )


def _checked(values: ArrayLike, what: str) -> NDArray[np.float64]:
    try:
        data = plain_array(values).astype(np.float64)
    except ValueError as error:
        raise LearnError(f"{what}: {error}") from None
    if data.ndim != 1 or len(data) < 2:
        raise LearnError(f"{what}: expected at least 2 values, one a seed, found shape {data.shape}; run more seeds")
    if not np.isfinite(data).all():
        raise LearnError(f"{what}: expected finite numbers, found {data.tolist()}; leave failed seeds out of both")
    return data
