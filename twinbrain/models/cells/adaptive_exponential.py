"""The eight firing patterns of the adaptive exponential neuron."""

from __future__ import annotations

from twinbrain.spec.cell import Cell

# C_m (pF), g_L (nS), E_L, V_T, Delta_T (mV), a (nS), tau_w (ms), b (pA), V_reset (mV), and the step of current (pA)
# that shows the pattern.
_PATTERNS = {
    "tonic": (200, 10, -70, -50, 2, 2, 30, 0, -58, 500, "Tonic spiking"),
    "adapting": (200, 12, -70, -50, 2, 2, 300, 60, -58, 500, "Spike-frequency adaptation"),
    "initial_burst": (130, 18, -58, -50, 2, 4, 150, 120, -50, 400, "A burst, then single spikes"),
    "bursting": (200, 10, -58, -50, 2, 2, 120, 100, -46, 210, "Regular bursting"),
    "delayed_accelerating": (200, 12, -70, -50, 2, -10, 300, 0, -58, 300, "A delay, then ever shorter intervals"),
    "delayed_bursting": (100, 10, -65, -50, 2, -10, 90, 30, -47, 110, "A delay, then regular bursts"),
    "transient": (100, 10, -65, -50, 2, 10, 90, 100, -47, 180, "One or a few spikes at the onset, then silence"),
    "irregular": (100, 12, -60, -50, 2, -11, 130, 30, -48, 160, "Irregular, by chaos of the equations alone"),
}


def _card(pattern: str) -> Cell:
    c_m, g_l, e_l, v_t, delta_t, a, tau_w, b, v_reset, current, summary = _PATTERNS[pattern]
    return Cell(
        summary=f"{summary}, shown by a step of {current} pA.",
        references=("10.1007/s00422-008-0264-7",),
        model="adex",
        parameters={
            "C_m": f"{c_m} pF",
            "g_L": f"{g_l} nS",
            "E_L": f"{e_l} mV",
            "V_T": f"{v_t} mV",
            "Delta_T": f"{delta_t} mV",
            "a": f"{a} nS",
            "tau_w": f"{tau_w} ms",
            "b": f"{b} pA",
            "V_reset": f"{v_reset} mV",
            "t_ref": "0 ms",
        },
        initial={"v": f"{e_l} mV"},
    )


ADEX_CELLS = {pattern: _card(pattern) for pattern in _PATTERNS}
"""Cards of Naud et al. (2008); use a time step of at most 0.1 ms, for bursts 0.025 ms."""
