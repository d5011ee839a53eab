"""How much neurons fire together, and how much their counts vary."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import xarray as xr

from twinbrain.analysis.counts import count_moments, standardised_variance
from twinbrain.analysis.grouping import By, group_by
from twinbrain.analysis.tree import clock
from twinbrain.errors import SpecError
from twinbrain.spec.suggest import suggestion

Measure = Literal["chi", "correlation", "pooled_correlation"]


def synchrony(
    tree: xr.DataTree,
    bin: str = "3 ms",
    by: By = "population",
    start: str | None = None,
    stop: str | None = None,
    measure: Measure = "chi",
) -> xr.DataArray:
    r"""Return how synchronously the neurons of each group fire.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    bin : str, optional
        Width of the bins in which spikes are counted; neurons that fire within one bin fire together.
    by : {"population", "region", "kind", "family"}
        Which neurons are compared.
    start, stop : str, optional
        Part of the run.
    measure : {"chi", "correlation", "pooled_correlation"}
        ``"chi"`` [1]_ is 1 if all neurons do the same, and :math:`1/\sqrt{N}` for N independent ones. The others do
        not depend on N: 1 and 0. ``"correlation"`` is the mean over pairs of the correlation of their counts [2]_;
        ``"pooled_correlation"`` the mean covariance over the mean variance, in which busy neurons count for more.

    Returns
    -------
    xarray.DataArray, dims (by,)
        NaN where no neuron fires, and for the correlations of a single neuron. From the correlations of pairs, neurons
        whose count never changes are left out.

    Notes
    -----
    With the count :math:`s_i(t)` of neuron i and the mean :math:`S(t)` over neurons,
    :math:`\chi^2 = \mathrm{Var}_t[S] / \langle \mathrm{Var}_t[s_i] \rangle_i`. Splitting the variance of the sum into
    variances and covariances gives the mean covariance of pairs over the mean variance,
    :math:`(N \chi^2 - 1) / (N - 1)`; the same of counts divided by their standard deviations gives the mean
    correlation. The two agree for neurons of one variance.

    References
    ----------
    .. [1] Golomb 2007, Neuronal synchrony measures, doi 10.4249/scholarpedia.1347
    .. [2] Cohen & Kohn 2011, doi 10.1038/nn.2842
    """
    if measure not in get_args(Measure):
        raise SpecError(f"measure: unknown measure {measure!r}; {suggestion(str(measure), get_args(Measure))}")
    grouping = group_by(tree, by)
    time = clock(tree, start, stop)
    moments = count_moments(tree, grouping, time, bin)
    n = grouping.n_neurons
    variance = np.bincount(grouping.of_neuron, moments.neuron_variance, minlength=grouping.n_groups) / n
    chi2 = np.divide(moments.group_variance / n**2, variance, out=np.full(len(n), np.nan), where=variance > 0)
    if measure == "chi":
        return grouping.array(np.sqrt(chi2), long_name="synchrony chi", units="1", bin=bin).rename("synchrony")
    if measure == "pooled_correlation":
        name = "mean covariance of pairs of counts over their mean variance"
        found = np.divide(n * chi2 - 1, n - 1, out=np.full(len(n), np.nan), where=n > 1)
    else:
        name = "mean correlation of pairs of counts"
        total, n = standardised_variance(tree, grouping, time, bin, moments)
        found = np.divide(total - n, n * (n - 1), out=np.full(len(n), np.nan), where=n > 1)
    return grouping.array(found, long_name=name, units="1", bin=bin).rename(measure)


def fano_factor(
    tree: xr.DataTree,
    bin: str = "100 ms",
    by: By = "population",
    start: str | None = None,
    stop: str | None = None,
) -> xr.DataArray:
    """Return the Fano factor of spike counts, variance / mean over bins, averaged over neurons.

    It is 1 for a Poisson process, and the square of the CV of intervals for any renewal process in long bins [1]_.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    bin : str, optional
        Width of the bins in which spikes are counted.
    by : {"population", "region", "kind", "family"}
        What the mean is taken over. Neurons without a spike are left out.
    start, stop : str, optional
        Part of the run.

    Returns
    -------
    xarray.DataArray, dims (by,)
        NaN where no neuron fires.

    References
    ----------
    .. [1] Nawrot et al. 2008, doi 10.1016/j.jneumeth.2007.10.013
    """
    grouping = group_by(tree, by)
    moments = count_moments(tree, grouping, clock(tree, start, stop), bin)
    mean = np.where(moments.neuron_mean > 0, moments.neuron_mean, np.nan)
    values, _ = grouping.mean_of_neurons(moments.neuron_variance / mean)
    return grouping.array(values, long_name="Fano factor of spike counts", units="1", bin=bin).rename("fano_factor")
