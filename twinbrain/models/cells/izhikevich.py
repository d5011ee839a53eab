"""Izhikevich's types of neurons: of his paper of 2003 and of chapter 8 of his book of 2007."""

from __future__ import annotations

from twinbrain.spec.cell import Cell

# a, b (1/ms), c (mV), d (mV/ms), and the v (mV) at which the cell rests.
_TYPES_2003 = {
    "rs": (0.02, 0.2, -65, 8, -70.0, "Regular spiking"),
    "ib": (0.02, 0.2, -55, 4, -70.0, "Intrinsically bursting"),
    "ch": (0.02, 0.2, -50, 2, -70.0, "Chattering"),
    "fs": (0.1, 0.2, -65, 2, -70.0, "Fast spiking"),
    "lts": (0.02, 0.25, -65, 2, -64.4140, "Low-threshold spiking"),
    "tc": (0.02, 0.25, -65, 0.05, -64.4140, "Thalamocortical: single spikes, and a burst after inhibition"),
    "rz": (0.1, 0.26, -65, 2, -62.5, "Resonator: a spike or none, as input comes in time with its oscillation"),
}

IZHIKEVICH_2003_CELLS = {
    name: Cell(
        summary=f"{summary}.",
        references=("10.1109/TNN.2003.820440",),
        model="izhikevich_2003",
        parameters={"a": f"{a}/ms", "b": f"{b}/ms", "c": f"{c} mV", "d": f"{d} mV/ms"},
        initial={"v": f"{rest} mV", "u": f"{b * rest:.6g} mV/ms"},
    )
    for name, (a, b, c, d, rest, summary) in _TYPES_2003.items()
}

# C_m (pF), k (nS/mV), v_r, v_t, v_peak (mV), a (1/ms), b (nS), c (mV), d (pA), and what is special.
_TYPES_2007: dict[str, tuple[tuple[float, ...], dict[str, str], str]] = {
    "rs": ((100, 0.7, -60, -40, 35, 0.03, -2, -50, 100), {}, "Regular spiking pyramidal cell of layer 5"),
    "ib": ((150, 1.2, -75, -45, 50, 0.01, 5, -56, 130), {}, "Intrinsically bursting pyramidal cell of layer 5"),
    "ch": ((50, 1.5, -60, -40, 25, 0.03, 1, -40, 150), {}, "Chattering cell of cat visual cortex"),
    "lts": (
        (100, 1, -56, -42, 40, 0.03, 8, -53, 20),
        {"v_peak_u": "-100 Mohm", "c_u": "40 Mohm", "u_max": "670 pA"},
        "Low-threshold spiking interneuron",
    ),
    "fs": (
        (20, 1, -55, -40, 25, 0.2, 0, -45, 0),
        {"b_cubic": "0.025 pA/mV**3", "v_cubic": "-55 mV"},
        "Fast-spiking interneuron",
    ),
    "tc": (
        (200, 1.6, -60, -50, 35, 0.01, 0, -60, 10),
        {"b_low": "15 nS", "v_low": "-65 mV", "v_peak_u": "100 Mohm", "c_u": "-100 Mohm"},
        "Thalamocortical relay cell: single spikes, and a burst after inhibition",
    ),
    "trn": (
        (40, 0.25, -65, -45, 0, 0.015, 2, -55, 50),
        {"b_low": "8 nS", "v_low": "-65 mV"},
        "Cell of the reticular thalamic nucleus",
    ),
}

# Humphries et al. (2009). With phi the share of dopamine receptors occupied, D1 makes v_r*(1 + 0.0289*phi) and
# d*(1 - 0.331*phi), D2 makes k*(1 - 0.032*phi). Besides, D1 multiplies NMDA weights by 1 + 6.3*phi, and D2 AMPA weights
# by 1 - 0.215*phi; weights are the projections'.
_SPINY = (15.2, 1, -80, -29.7, 40, 0.01, -20, -55, 91)
_OCCUPIED = 0.3
_D1 = (15.2, 1, -80 * (1 + 0.0289 * _OCCUPIED), -29.7, 40, 0.01, -20, -55, 91 * (1 - 0.331 * _OCCUPIED))
_D2 = (15.2, 1 - 0.032 * _OCCUPIED, -80, -29.7, 40, 0.01, -20, -55, 91)


def _card(values: tuple[float, ...], special: dict[str, str], summary: str, reference: str) -> Cell:
    names = ("C_m", "k", "v_r", "v_t", "v_peak", "a", "b", "c", "d")
    units = (" pF", " nS/mV", " mV", " mV", " mV", "/ms", " nS", " mV", " pA")
    parameters = {name: f"{value:.10g}{unit}" for name, value, unit in zip(names, values, units, strict=True)}
    return Cell(
        summary=f"{summary}.",
        references=(reference,),
        model="izhikevich_2007",
        parameters=parameters | special,
        initial={"v": parameters["v_r"]},
    )


IZHIKEVICH_2007_CELLS = {
    name: _card(values, special, summary, "10.7551/mitpress/2526.001.0001")
    for name, (values, special, summary) in _TYPES_2007.items()
} | {
    name: _card(values, {}, summary, "10.3389/neuro.10.026.2009")
    for name, values, summary in (
        ("msn", _SPINY, "Striatal medium spiny neuron, without dopamine"),
        (
            "msn_d1",
            _D1,
            "Striatal medium spiny neuron with D1 receptors, 0.3 of them occupied; NMDA weights times 2.89",
        ),
        (
            "msn_d2",
            _D2,
            "Striatal medium spiny neuron with D2 receptors, 0.3 of them occupied; AMPA weights times 0.9355",
        ),
    )
}
