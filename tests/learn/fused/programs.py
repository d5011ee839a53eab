"""Programs of every model of the library, with state, constants and inputs that let all neurons spike."""

from functools import cache

import torch

from twinbrain.engines.conformance_networks import library_network

NAMES = (
    *("adex", "alif", "eif", "glif", "hodgkin_huxley", "izhikevich_2003", "izhikevich_2007", "lif_conductance"),
    *("lif_current", "wang_buzsaki"),
)


@cache
def library_blocks():
    """Return the blocks by model."""
    return {block.name: block for block in library_network(12).blocks}


def example(name, n_steps, *, dtype=torch.float64, n_trials=3, seed=0):
    """Return program, state (trial, neuron), constants (neuron,) and arrived (step, trial, receptor, neuron)."""
    block = library_blocks()[name]
    generator = torch.Generator().manual_seed(seed)
    state = {k: torch.as_tensor(v).to(dtype).repeat(n_trials, 1) for k, v in block.initial.items()}
    constants = {k: torch.as_tensor(v).to(dtype) for k, v in block.constants.items()}
    state["v"] = state["v"] + 8.0 * torch.rand(n_trials, block.size, generator=generator, dtype=torch.float64).to(dtype)
    size = torch.tensor([_INPUT[name].get(receptor, 0.5) for receptor in block.program.jumps])
    random = torch.rand((n_steps, n_trials, len(size), block.size), generator=generator, dtype=torch.float64)
    arrived = (random * size[:, None]).to(dtype)
    return block.program, state, constants, arrived


# The most that arrives in a step, by receptor.
_INPUT = {
    "adex": {"ampa": 20.0, "nmda": 2.0},
    "alif": {"delta": 4.0},
    "eif": {"exponential_current": 400.0},
    "glif": {"alpha_current": 200.0, "current": 100.0},
    "hodgkin_huxley": {"ampa": 20.0},
    "izhikevich_2003": {"delta": 3.0, "exponential_current": 20.0},
    "izhikevich_2007": {"alpha_conductance": 600.0},
    "lif_conductance": {"ampa": 20.0},
    "lif_current": {"exponential_current": 400.0},
    "wang_buzsaki": {"ampa": 3.0},
}
