"""Regions of every shape, for tests of what must hold for any."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from twinbrain.spec.explicit import Explicit
from twinbrain.spec.projection import Pairs
from twinbrain.spec.region import Region

_ODD = ['a "quoted" text', "two\nlines", 'lines that\nend in "', "a\nback\\slash", 'a\n"""b', "é\t\r\n"]
_texts = st.text(max_size=12) | st.sampled_from(_ODD)
_names = st.text("abcXYZ_09", min_size=1, max_size=5)
_keys = _names | st.sampled_from(["a b", "pyr->pv", "é", 'say "x"', "a.b", "/", ""])
_identifiers = st.from_regex(r"[a-z][A-Za-z0-9]{0,4}(_[A-Z])?", fullmatch=True)
_equations = st.sampled_from(
    ["", "x : 1", "\tx : 1\r\n\n", 'x : 1  # a "quoted" é\ny : volt\n', "x : 1\n#\\\n", "# ''' \"\"\"\nx : 1"]
)
_floats = st.floats(-1e6, 1e6)
_positive = st.floats(1e-3, 1e3)


def _quantities(unit):
    return _floats.map(lambda x: f"{x!r} {unit}".strip() if unit else x)


@st.composite
def _distributions(draw, unit):
    kind = draw(st.sampled_from(["normal", "lognormal", "gamma", "uniform"]))
    second = draw(_positive if kind in ("lognormal", "gamma") else _quantities(unit))
    bounds = draw(st.fixed_dictionaries({}, optional={"min": _quantities(unit), "max": _quantities(unit)}))
    return {kind: [draw(_quantities(unit)), second]} | bounds


@st.composite
def _explicit(draw, unit, n):
    seed = draw(st.integers(0, 9))
    values = np.random.default_rng(seed).normal(size=n) * 10.0 ** draw(st.integers(-300, 300))
    return Explicit(values, unit or "1")


def _values(unit, n):
    return _quantities(unit) | _distributions(unit) | (_explicit(unit, n) if n is not None else st.nothing())


@st.composite
def _tables(draw, n, unit=None):
    units = st.just(unit) if unit else st.sampled_from(["mV", "pA", "", "nS/ms"])
    return {key: draw(_values(draw(units), n)) for key in draw(st.lists(_keys, max_size=4, unique=True))}


@st.composite
def _connects(draw, n_source, n_target):
    rule = draw(st.sampled_from(["probability", "total", "in_degree", "one_to_one", "distance", "pairs"]))
    if rule == "pairs":
        n = draw(st.integers(0, 40))
        rng = np.random.default_rng(n)
        return {"pairs": Pairs(source=rng.integers(0, n_source, n), target=rng.integers(0, n_target, n))}, n
    value = {
        "probability": st.floats(0, 1),
        "total": st.integers(0, 9),
        "in_degree": st.integers(0, 9),
        "one_to_one": st.just(True),
        "distance": st.just({"probability": 0.5, "scale": "0.1 mm", "kernel": "exponential"}),
    }[rule]
    return {rule: draw(value), "autapses": draw(st.booleans())}, draw(st.sampled_from([None, 5, 20]))


@st.composite
def _projections(draw, sizes, name):
    source, target = draw(st.sampled_from(list(sizes))), draw(st.sampled_from(list(sizes)))
    connect, n = draw(_connects(sizes[source], sizes[target]))
    rule = {"model": draw(_texts), "parameters": draw(_tables(n)), "modulator": draw(st.none() | st.just(source))}
    return {
        "name": name,
        "source": source,
        "target": target,
        "receptor": draw(st.sampled_from(["ampa", {"ampa": 1.0}, {"ampa": 0.5, "x y": 2.0}, {"x y": 1.5}])),
        "connect": connect,
        "weight": draw(_values("nS", n)),
        "delay": draw(_values("ms", n)),
        "plasticity": draw(st.none() | st.just(draw(_texts)) | st.just(rule)),
    }


@st.composite
def regions(draw):
    """Draw a region; its models need not exist."""
    cells, populations = {}, {}
    for name in draw(st.lists(_names, min_size=1, max_size=3, unique=True)):
        cell, size = draw(_keys.filter(lambda key: key not in cells)), draw(st.integers(1, 40))
        cells[cell] = {
            "summary": draw(_texts),
            "references": draw(st.lists(_texts, max_size=3)),
            "model": draw(_texts),
            "receptors": ["ampa", "x y"],
            "parameters": draw(_tables(size)),
            "initial": draw(_tables(size)),
        }
        populations[name] = {"cell": cell, "size": size, "transmitter": draw(st.sampled_from(["glutamate", "gaba"]))}
        if draw(st.booleans()):
            populations[name]["extent"] = ["0.3 mm", "0.2 mm", "1 um"]
    sizes = {name: population["size"] for name, population in populations.items()}
    some = st.sampled_from(list(populations))
    port = st.floats(0.1, 2) | st.just({"share": 0.3, "glutamate": {"ampa": 0.5}, "gaba": "x y"})
    equations = draw(_equations)
    parameters = {"x": draw(_values("mV", None))} if equations and draw(st.booleans()) else {}
    model = {"equations": equations, "threshold": "v > 1", "reset": "v = 0", "parameters": parameters}
    drives = [
        {"population": draw(some), "receptor": "ampa", "rate": "10 Hz", "weight": "1 nS"},
        {"population": draw(some), "noise": 1.0},
        {"population": draw(some), "waveform": {"values": [[0.5, 1.0]], "unit": "pA", "interval": "1 ms"}},
    ]
    return Region.parse(
        {
            "name": draw(st.sampled_from(["a", "lab/some-region.2"])),
            "summary": draw(_texts),
            "references": draw(st.lists(_texts, max_size=3)),
            "cells": cells,
            "populations": populations,
            "projections": [draw(_projections(sizes, f"p{i}")) for i in range(draw(st.integers(0, 3)))],
            "drives": drives[: draw(st.integers(0, 3))],
            "ports": {
                "outputs": draw(st.lists(some, max_size=2, unique=True)),
                "inputs": draw(st.dictionaries(some, port)),
            },
            "expected": draw(st.dictionaries(some, st.just({"low": "1 Hz", "high": "2 Hz", "source": "x"}))),
            "models": draw(st.dictionaries(_identifiers, st.just(model), max_size=2)),
            "receptors": draw(st.dictionaries(_identifiers, st.just({"jump": "v"}), max_size=1)),
            "plasticity": draw(st.dictionaries(_identifiers, st.just({"on_pre": "a = 1\nrelease = w"}), max_size=1)),
        }
    )
