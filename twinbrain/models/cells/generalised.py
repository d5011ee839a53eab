"""The five levels of the generalised leaky integrate-and-fire neuron, for one cell."""

from __future__ import annotations

from twinbrain.spec.cell import Cell

# What switches off the parts that a level does not have. Without the reset rule v is put to E_L.
_NO_RESET_RULE = {"f_v": 0.0, "delta_v": "0 mV", "delta_theta_s": "0 mV"}
_NO_CURRENTS = {"delta_I_1": "0 pA", "delta_I_2": "0 pA"}
_NO_ADAPTATION = {"a_v": "0/ms"}
_LEVELS = {
    "1": (_NO_RESET_RULE | _NO_CURRENTS | _NO_ADAPTATION, "Level 1: leaky integrate-and-fire"),
    "2": (
        _NO_CURRENTS | _NO_ADAPTATION,
        "Level 2: with reset rules, one of them a threshold that jumps with each spike",
    ),
    "3": (_NO_RESET_RULE | _NO_ADAPTATION, "Level 3: with after-spike currents"),
    "4": (_NO_ADAPTATION, "Level 4: with reset rules and after-spike currents"),
    "5": ({}, "Level 5: with reset rules, after-spike currents and a threshold that follows the membrane"),
}

GLIF_CELLS = {
    name: Cell(
        summary=f"{summary}. Cell 490626718 of the Allen Cell Types Database.",
        references=("10.1038/s41467-017-02717-4",),
        model="glif",
        parameters=off,
    )
    for name, (off, summary) in _LEVELS.items()
}
