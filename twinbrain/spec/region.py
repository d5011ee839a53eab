"""A region: cells, populations, projections among them, drives and ports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import Field, model_validator

from twinbrain.errors import Problem, SpecError
from twinbrain.language.names import check_identifier
from twinbrain.spec.base import Spec
from twinbrain.spec.cell import Cell
from twinbrain.spec.drive import INJECTED, Drive
from twinbrain.spec.explicit import fixed_values, wrong_numbers
from twinbrain.spec.labels import matching
from twinbrain.spec.lost import Lost
from twinbrain.spec.model import NeuronModel, ReceptorModel
from twinbrain.spec.plasticity import PlasticityModel
from twinbrain.spec.population import Population
from twinbrain.spec.ports import InputPort, Ports
from twinbrain.spec.problems import first_problems, reject
from twinbrain.spec.projection import Projection
from twinbrain.spec.quantity import Rate
from twinbrain.spec.suggest import suggestion

_PATTERN = re.compile(r"[*?\[]")
# Declarations that patterns may stand for: those among a hundred populations.
_MOST_WRITTEN_OUT = 10_000


class RateRange(Spec):
    """The mean rate in which a population of the isolated region is expected, with its source."""

    low: Rate
    high: Rate
    source: str

    @model_validator(mode="after")
    def _check(self) -> RateRange:
        if self.high < self.low:
            raise ValueError(f"expected low up to high, found {self.low:g} Hz and {self.high:g} Hz")
        return self

    @property
    def middle(self) -> float:
        """The rate that is reckoned with, in Hz."""
        return (self.low + self.high) / 2


class Region(Spec):
    """A region module.

    Parameters
    ----------
    name : str
        ``family/name``; keys the random streams of what the region builds.
    models, receptors, plasticity : dict
        Equations of the region's own, beside those of the library.
    quanta : dict of str to int
        For receptors the power of two, in their unit (nS, pA, mV), of which explicit weights of static synapses are
        whole multiples, and in which weights are counted; a training writes those that it was in. Weights of other
        kinds, drives and stimuli that are too small for it are counted in finer ones.
    expected : dict of str to RateRange
        Mean rates of the isolated region, for its test and its readers.
    lost : dict of str to Lost
        Populations that a lesion took out (`without`), as far as long-range synapses of others depend on them.
    """

    name: Annotated[str, Field(pattern=r"^[\w./-]+$")]
    summary: str = ""
    references: tuple[str, ...] = ()
    models: dict[str, NeuronModel] = {}
    receptors: dict[str, ReceptorModel] = {}
    plasticity: dict[str, PlasticityModel] = {}
    cells: dict[str, Cell]
    populations: Annotated[dict[str, Population], Field(min_length=1)]
    projections: tuple[Projection, ...] = ()
    drives: tuple[Drive, ...] = ()
    ports: Ports = Ports()
    quanta: dict[str, Annotated[int, Field(ge=-600, le=600)]] = {}
    expected: dict[str, RateRange] = {}
    lost: dict[str, Lost] = {}

    @property
    def family(self) -> str:
        """The part of the name before the slash."""
        return self.name.split("/")[0]

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return sum(population.size for population in self.populations.values())

    def cell_of(self, population: str) -> Cell:
        """Return the cell class of a population."""
        return self.cells[self.populations[population].cell]

    def without(self, populations: str | Iterable[str] = (), projections: str | Iterable[str] = ()) -> Region:
        """Return the region with a lesion: without some of its parts, the others as they were.

        In a brain, long-range synapses that a population received or made are missing, and nothing takes their place:
        the region remembers in `lost` what they are reckoned from.

        Parameters
        ----------
        populations, projections : str or iterable of str
            Names, such as ``"pv"`` and ``"pyr->pv:ampa"``, or patterns of them.

        Raises
        ------
        SpecError
            If there is nothing of a name, or nothing is left.
        """
        from twinbrain.spec.lesion import region_without

        return region_without(self, populations, projections)

    def scaled(self, factor: float) -> Region:
        """Return the region with populations ``factor`` times as large, none below one neuron.

        Rules that give a probability, a total or an out-degree are adapted so that each neuron keeps its expected
        number of inputs; a probability stops at 1, and no number of synapses becomes none.

        Raises
        ------
        SpecError
            If explicit pairs name neurons that are no longer there, or values are explicit.
        """
        sizes = {name: max(1, round(p.size * factor)) for name, p in self.populations.items()}
        changed = any(sizes[name] != p.size for name, p in self.populations.items())
        if changed and (fixed := list(fixed_values(self, f"scaled by {factor:g}"))):
            raise SpecError(fixed)
        populations = {name: p.model_copy(update={"size": sizes[name]}) for name, p in self.populations.items()}
        projections = tuple(self._scaled_projection(projection, sizes) for projection in self.projections)
        lost = {name: one.replace(size=max(1, round(one.size * factor))) for name, one in self.lost.items()}
        region = self.model_copy(update={"populations": populations, "projections": projections, "lost": lost})
        if problems := first_problems(region._problems()):
            raise SpecError(problems)
        return region

    def _scaled_projection(self, projection: Projection, sizes: dict[str, int]) -> Projection:
        connect = projection.connect
        source = sizes[projection.source] / self.populations[projection.source].size
        target = sizes[projection.target] / self.populations[projection.target].size
        # Where autapses are left out, a neuron has one possible source less than there are.
        left_out = int(projection.source == projection.target and not connect.autapses)
        before, after = self.populations[projection.source].size - left_out, sizes[projection.source] - left_out
        more_likely = before / after if after else 1.0
        if connect.probability is not None:
            connect = connect.model_copy(update={"probability": min(1.0, connect.probability * more_likely)})
        elif connect.distance is not None:
            probability = min(1.0, connect.distance.probability * more_likely)
            kernel = connect.distance.model_copy(update={"probability": probability})
            connect = connect.model_copy(update={"distance": kernel})
        elif connect.total is not None:
            connect = connect.model_copy(update={"total": _fewer(connect.total, target)})
        elif connect.out_degree is not None:
            connect = connect.model_copy(update={"out_degree": _fewer(connect.out_degree, target / source)})
        return projection.model_copy(update={"connect": connect})

    def __repr__(self) -> str:
        n = len(self.populations)
        counts = f"{self.n_neurons:,} neuron{'s' * (self.n_neurons != 1)} in {n} population{'s' * (n != 1)}"
        return f"<region {self.name}: {counts}>"

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        from twinbrain.spec.html import region_html

        return region_html(self)

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, data: Any) -> Any:
        """Let ``"*"`` and other patterns stand for several populations, in projections and drives."""
        if not isinstance(data, dict) or not isinstance(populations := data.get("populations"), dict):
            return data
        expanded = {
            key: _written_out(entries, ends, list(populations))
            for key, ends in (("projections", ("source", "target")), ("drives", ("population",)))
            if isinstance(entries := data.get(key), list | tuple)
        }
        return data | expanded

    @model_validator(mode="after")
    def _check(self) -> Region:
        if problems := first_problems(self._problems()):
            raise reject(*problems)
        return self

    @classmethod
    def _further_problems(cls, data: Any) -> list[Problem]:
        return first_problems(_unknown_names(_table(data)))

    def _problems(self) -> Iterator[Problem]:
        for kind, names in (("models", self.models), ("receptors", self.receptors), ("plasticity", self.plasticity)):
            for name in names:
                try:  # they go into generated code
                    check_identifier(name)
                except SpecError as error:
                    yield Problem(kind, str(error))
        for name in self.populations:
            if not re.fullmatch(r"\w+", name):
                yield Problem(f"populations.{name}", "expected a name of letters, digits and underscores")
        for name, population in self.populations.items():
            if population.cell not in self.cells:
                yield _unknown(f"populations.{name}.cell", "cell", population.cell, self.cells)
        for i, projection in enumerate(self.projections):
            where = f"projections[{i}]"
            if projection.source not in self.populations:
                yield _unknown(f"{where}.source", "population", projection.source, self.populations)
            yield from self._target_problems(where, "target", projection.target, projection.receptor)
            modulator = projection.plasticity.modulator if projection.plasticity else None
            if modulator is not None and modulator not in self.populations:
                yield _unknown(f"{where}.plasticity.modulator", "population", modulator, self.populations)
            if projection.connect.pairs is not None and {projection.source, projection.target} <= set(self.populations):
                for end in ("source", "target"):
                    size = self.populations[getattr(projection, end)].size
                    highest = int(getattr(projection.connect.pairs, end).max(initial=0))
                    if highest >= size:
                        yield Problem(
                            f"{where}.connect.pairs.{end}",
                            f"expected indices below the size {size} of population "
                            f"{getattr(projection, end)!r}, found {highest}",
                        )
        yield from wrong_numbers(self)
        places: dict[str, list[int]] = {}
        for i, projection in enumerate(self.projections):
            places.setdefault(projection.key, []).append(i)
        for key in sorted(key for key, found in places.items() if len(found) > 1):
            yield Problem(
                f"projections[{places[key][0]}].name", f"{len(places[key])} projections are {key!r}; give each a name"
            )
        for i, drive in enumerate(self.drives):
            receptors = {} if drive.receptor in INJECTED else {drive.receptor: 1.0}
            yield from self._target_problems(f"drives[{i}]", "population", drive.population, receptors)
        streams: dict[str, int] = {}
        for i, drive in enumerate(self.drives):
            if (first := streams.setdefault(drive.key(i), i)) < i:
                yield Problem(
                    f"drives[{i}].name", f"expected a random stream of its own, found that of drives[{first}]; name it"
                )
        for name in self.ports.outputs:
            if name not in self.populations:
                yield _unknown("ports.outputs", "population", name, self.populations)
        for name in self.ports.inputs:
            if name not in self.populations:
                yield _unknown(f"ports.inputs.{name}", "population", name, self.populations)
        known = {receptor for cell in self.cells.values() for receptor in cell.receptors}
        for name, port in self.ports.inputs.items():
            for key in ("glutamate", "gaba"):
                # Defaults may be of no cell: a declaration that was written out in full has them too.
                usual = known.union(InputPort.model_fields[key].default)
                for receptor in getattr(port, key):
                    if receptor not in usual:
                        yield _unknown(f"ports.inputs.{name}.{key}", "receptor", receptor, known)
        for receptor in self.quanta:
            if receptor not in known.union(INJECTED):
                yield _unknown(f"quanta.{receptor}", "receptor", receptor, known)
        for name in self.expected:
            if name not in self.populations:
                yield _unknown(f"expected.{name}", "population", name, self.populations)

        for name in self.lost:
            if name in self.populations:
                yield Problem(f"lost.{name}", "expected a population that is gone, found it among those that are there")

    def _target_problems(self, where: str, key: str, target: str, receptors: dict[str, float]) -> Iterator[Problem]:
        if target not in self.populations:
            yield _unknown(f"{where}.{key}", "population", target, self.populations)
        elif self.populations[target].cell in self.cells:
            known = self.cell_of(target).receptors
            for receptor in receptors:
                if receptor not in known:
                    yield _unknown(f"{where}.receptor", f"receptor of population {target!r}", receptor, known)


def _fewer(count: int, factor: float) -> int:
    """Return a count times a factor, rounded, but not to none."""
    return max(min(count, 1), round(count * factor))


def _written_out(entries: Iterable[Any], ends: tuple[str, ...], populations: list[str]) -> list[Any]:
    """Return declarations in which populations are named by patterns as one for each that fits."""
    fitting: dict[str, list[str]] = {}
    for end in ends:
        found: list[Any] = []
        for entry in entries:
            pattern = entry.get(end) if isinstance(entry, dict) else getattr(entry, end, None)
            fits = []
            if isinstance(pattern, str) and _PATTERN.search(pattern) and pattern not in populations:
                if pattern not in fitting:
                    fitting[pattern] = matching(pattern, populations)
                fits = fitting[pattern]
            if fits and len(found) + len(fits) > _MOST_WRITTEN_OUT:
                raise ValueError(
                    f"expected patterns of {end} that stand for at most {_MOST_WRITTEN_OUT:,} declarations, found "
                    "more; name fewer populations"
                )
            for name in fits:
                named = {"name": f"{given}.{name}"} if (given := _name_of(entry)) else {}
                changed = {end: name, **named}
                found.append(entry | changed if isinstance(entry, dict) else entry.replace(**changed))
            found += [] if fits else [entry]
        entries = found
    return list(entries)


def _name_of(entry: Any) -> str:
    return str((entry.get("name") if isinstance(entry, dict) else getattr(entry, "name", "")) or "")


def _unknown_names(data: dict[str, Any]) -> Iterator[Problem]:
    """Check the names in plain data that is no region for other reasons, as far as it can be read."""
    cells, populations = _table(data.get("cells")), _table(data.get("populations"))
    for name, population in populations.items():
        if isinstance(cell := _table(population).get("cell"), str) and cell not in cells:
            yield _unknown(f"populations.{name}.cell", "cell", cell, cells)
    for kind, end in (("projections", "source"), ("projections", "target"), ("drives", "population")):
        entries = data.get(kind)
        for i, entry in enumerate(entries if isinstance(entries, list | tuple) else ()):
            found, receptors = _table(entry).get(end), _table(entry).get("receptor")
            if not isinstance(found, str):
                continue
            if found not in populations:
                if not matching(found, populations):
                    yield _unknown(f"{kind}[{i}].{end}", "population", found, populations)
            elif end != "source":
                known = _table(cells.get(str(_table(populations[found]).get("cell")))).get("receptors")
                for receptor in [receptors] if isinstance(receptors, str) else _table(receptors):
                    allowed = INJECTED if kind == "drives" else ()
                    if isinstance(known, list | tuple) and receptor not in (*known, *allowed):
                        yield _unknown(f"{kind}[{i}].receptor", f"receptor of population {found!r}", receptor, known)


def _table(data: Any) -> dict[str, Any]:
    return data if isinstance(data, dict) else {}


def _unknown(where: str, what: str, found: str, known: Any) -> Problem:
    return Problem(where, f"unknown {what} {found!r}; {suggestion(found, known)}")
