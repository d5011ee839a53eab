"""The accessor ``twin`` of a run: ``run.twin.rates(bin="10 ms")``."""

from __future__ import annotations

import xarray as xr

from twinbrain import analysis
from twinbrain.analysis.grouping import By, Patterns
from twinbrain.analysis.synchrony import Measure
from twinbrain.language.tokens import printable
from twinbrain.spec.connectome import Connectome


@xr.register_datatree_accessor("twin")
class TwinAccessor:
    """Analyses of a run, opened lazily; each method is the function of `twinbrain.analysis` of that name.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    """

    def __init__(self, tree: xr.DataTree) -> None:
        self._tree = tree

    def __repr__(self) -> str:
        attrs = self._tree.attrs
        if not {"committed", "duration", "workflow", "status"} <= {*attrs}:
            return printable(f"<no whole run, at {self.path or 'no path'}>")
        done = f"{attrs['committed'] / 1000:g} of {attrs['duration'] / 1000:g} s"
        return printable(f"<run of {attrs['workflow']}: {done}, {attrs['status']}, at {self.path or 'no path'}>")

    @property
    def path(self) -> str | None:
        """Path or URL of the run, if it was opened from one."""
        source = self._tree.encoding.get("source")
        return None if source is None else str(source)

    @property
    def populations(self) -> xr.Dataset:
        """The populations, see `populations`."""
        return analysis.populations(self._tree)

    @property
    def regions(self) -> xr.Dataset:
        """The regions, see `regions`."""
        return analysis.regions(self._tree)

    @property
    def connectome(self) -> Connectome:
        """The connectome, see `connectome`."""
        return analysis.connectome(self._tree)

    def rates(
        self, bin: str | None = None, by: By = "region", start: str | None = None, stop: str | None = None
    ) -> xr.DataArray:
        """Return firing rates over time (Hz), see `rates`."""
        return analysis.rates(self._tree, bin, by, start, stop)

    def mean_rates(self, by: By = "region", start: str | None = None, stop: str | None = None) -> xr.DataArray:
        """Return mean firing rates (Hz), see `mean_rates`."""
        return analysis.mean_rates(self._tree, by, start, stop)

    def spikes(
        self, region: Patterns = "*", population: Patterns = "*", start: str | None = None, stop: str | None = None
    ) -> xr.Dataset:
        """Return the spikes of some populations in some time, see `spikes`."""
        return analysis.spikes(self._tree, region, population, start, stop)

    def cv_isi(self, by: By = "population", start: str | None = None, stop: str | None = None) -> xr.DataArray:
        """Return the mean CV of inter-spike intervals, see `cv_isi`."""
        return analysis.cv_isi(self._tree, by, start, stop)

    def synchrony(
        self,
        bin: str = "3 ms",
        by: By = "population",
        start: str | None = None,
        stop: str | None = None,
        measure: Measure = "chi",
    ) -> xr.DataArray:
        """Return how synchronously neurons fire, see `synchrony`."""
        return analysis.synchrony(self._tree, bin, by, start, stop, measure)

    def fano_factor(
        self, bin: str = "100 ms", by: By = "population", start: str | None = None, stop: str | None = None
    ) -> xr.DataArray:
        """Return the mean Fano factor of spike counts, see `fano_factor`."""
        return analysis.fano_factor(self._tree, bin, by, start, stop)

    def spectrum(
        self,
        by: By = "family",
        segment: str = "1 s",
        bin: str | None = None,
        start: str | None = None,
        stop: str | None = None,
    ) -> xr.DataArray:
        """Return power spectra of firing rates (Hz^2/Hz), see `spectrum`."""
        return analysis.spectrum(self._tree, by, segment, bin, start, stop)

    def functional_connectivity(
        self, bin: str = "100 ms", start: str | None = None, stop: str | None = None
    ) -> xr.DataArray:
        """Return correlations between the rates of regions, see `functional_connectivity`.

        They are of the whole run unless ``start=`` leaves out its beginning, such as
        ``start=tb.analysis.warm_up(run)``.
        """
        return analysis.functional_connectivity(self._tree, bin, start, stop)

    def structure_function(
        self,
        bin: str = "100 ms",
        start: str | None = None,
        stop: str | None = None,
        connectome: Connectome | None = None,
    ) -> xr.Dataset:
        """Return connections beside correlations of rates, and how they go together, see `structure_function`."""
        return analysis.structure_function(self._tree, bin, start, stop, connectome)

    def state(
        self, variable: str, region: Patterns = "*", population: Patterns = "*", probe: str | None = None
    ) -> xr.DataArray:
        """Return a recorded state variable, see `state`."""
        return analysis.state(self._tree, variable, region, population, probe)

    def summary(self, by: By | None = None, start: str | None = None, stop: str | None = None) -> xr.Dataset:
        """Return what the run did in one table, see `summarise`.

        It is of the whole run unless ``start=`` and ``stop=`` say otherwise; the table that the command line prints
        leaves out the beginning, and is that of ``start=tb.analysis.warm_up(run)``.
        """
        return analysis.summarise(self._tree, by, start, stop)
