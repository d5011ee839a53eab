"""Cells stand in networks of snnTorch as its own neurons do."""

import copy

import numpy as np
import pytest
import snntorch
import torch

import twinbrain as tb
from twinbrain.engines.base import get_engine
from twinbrain.learn.lower import lower

SPREAD = {"C_m": {"lognormal": ["250 pF", 0.3]}}


def test_it_drops_into_a_loop_of_snntorch_and_the_gradient_reaches_what_is_before_it():
    before = len(snntorch.SpikingNeuron.instances)
    linear, head = torch.nn.Linear(5, 6), torch.nn.Linear(6, 2)
    cell = tb.spiking_cell("alif", 6, parameters={"tau_a": {"lognormal": ["200 ms", 0.5]}}, trained=("tau_a",))
    assert len(snntorch.SpikingNeuron.instances) == before
    readout = snntorch.Leaky(beta=0.9)
    inputs = torch.rand(40, 3, 5, generator=torch.Generator().manual_seed(0))
    state, mem, spikes, outputs = (), readout.init_leaky(), [], []
    for step in range(len(inputs)):
        spiking, *state = cell(300 * linear(inputs[step]).abs(), *state)
        _, mem = readout(head(spiking), mem)
        spikes.append(spiking)
        outputs.append(mem)
    assert isinstance(cell, snntorch.SpikingNeuron)
    assert spikes[0].shape == (3, 6)
    assert set(torch.stack(spikes).unique().tolist()) == {0.0, 1.0}
    assert [value.shape for value in state] == [(3, 6)] * len(cell.program.state)
    torch.stack(outputs).square().sum().backward()
    (change,) = cell.parameters()
    for parameter in (linear.weight, head.weight, change):
        assert bool(torch.isfinite(parameter.grad).all())
        assert float(parameter.grad.abs().sum()) > 0


def test_its_step_is_that_of_every_engine():
    n_steps, drive = 60, 400.0
    cell = tb.spiking_cell("lif_current", 4, receptors=("current",), parameters=SPREAD, seed=7, precision="float64")
    region = tb.Region(
        name="cell",
        cells={"cell": tb.Cell(model="lif_current", receptors=("current",), parameters=SPREAD)},
        populations={"cell": tb.Population(cell="cell", size=4)},
        drives=[tb.Drive(population="cell", receptor="current", current=f"{drive} pA")],
    )
    simulation = get_engine("reference")(lower(region, dt=1.0, seed=7).network)
    simulation.advance(n_steps)
    found = simulation.collect().spikes
    spikes, state = [], ()
    for _ in range(n_steps):
        spiking, *state = cell(torch.full((1, 4), drive, dtype=torch.float64), *state)
        spikes.append(spiking[0])
    step, neuron = torch.stack(spikes).numpy().nonzero()
    assert len(step) > 4
    np.testing.assert_array_equal(step, found.step)
    np.testing.assert_array_equal(np.sort(neuron), np.sort(found.neuron))


def test_what_is_drawn_depends_on_the_seed_alone():
    one, again, other = (
        tb.spiking_cell("lif_current", 5, parameters=SPREAD, seed=seed).base["C_m"] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_what_is_shared_has_one_change_and_a_copy_has_its_own():
    cell = tb.spiking_cell("lif_current", 5, trained={"C_m": "population", "threshold": "neuron"})
    assert {name: p.numel() for name, p in cell.named_parameters()} == {
        "trained.C_m.change": 1,
        "trained.V_th.change": 5,
    }
    other = copy.deepcopy(cell)
    with torch.no_grad():
        other.trained["C_m"].change += 1.0
    assert cell.trained["C_m"]()[0].item() == 250.0 != other.trained["C_m"]()[0].item()
    other.load_state_dict(cell.state_dict())
    assert other.trained["C_m"]()[0].item() == 250.0


@pytest.mark.parametrize("surrogate", ["sigmoid", snntorch.surrogate.sigmoid(slope=25)])
def test_the_sigmoid_has_a_gradient_far_below_the_threshold(surrogate):
    cell = tb.spiking_cell("lif_current", 1, surrogate=surrogate, receptors=("current",))
    drive = torch.tensor([[-4000.0], [360.0]], requires_grad=True)
    state, spikes = (), []
    for _ in range(30):
        spiking, *state = cell(drive, *state)
        spikes.append(spiking)
    torch.stack(spikes).sum().backward()
    assert 0 <= drive.grad[0].item() < 1e-20
    assert np.isfinite(drive.grad[1].item())
    assert drive.grad[1].item() > 0


def test_several_receptors_take_inputs_by_name():
    cell = tb.spiking_cell("lif_conductance", 2, receptors=("ampa", "gaba_a"))
    drive = torch.full((1, 2), 3.0)
    one, other = (), ()
    for _ in range(20):
        _, *one = cell(drive, *one)
        _, *other = cell({"ampa": drive, "gaba_a": drive}, *other)
    v = cell.program.state.index("v")
    assert bool((other[v] < one[v]).all())


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"model": "lif"}, tb.SpecError, "unknown neuron model 'lif'"),
        ({"receptors": ("ampa2",)}, tb.SpecError, "unknown receptor 'ampa2'; did you mean 'ampa'"),
        ({"parameters": {"C_n": "1 pF"}}, tb.SpecError, "unknown parameter 'C_n'; did you mean 'C_m'"),
        ({"trained": ("tau_w",)}, tb.LearnError, "expected 'weight' or a parameter"),
        ({"surrogate": "atn"}, tb.LearnError, "unknown surrogate 'atn'; did you mean 'atan'"),
    ],
)
def test_what_is_unknown_is_said(options, error, text):
    with pytest.raises(error) as caught:
        tb.spiking_cell(**{"model": "lif_current", "size": 2} | options)
    assert text in str(caught.value)


def test_inputs_and_states_of_another_shape_are_said():
    cell = tb.spiking_cell("lif_current", 4)
    with pytest.raises(tb.LearnError, match=r"shape \(trial, 4\) to exponential_current, found \(3, 5\)"):
        cell(torch.zeros(3, 5))
    with pytest.raises(tb.LearnError, match=r"\(exponential_current\), found one to ampa; name those that it has"):
        cell({"ampa": torch.zeros(3, 4)})
    with pytest.raises(tb.LearnError, match=r"expected no state, or v, .*found 1 tensors; call it as"):
        cell(torch.zeros(3, 4), torch.zeros(3, 4))


def test_a_cell_that_keeps_its_state_stands_in_a_sequence_as_leaky_does():
    torch.manual_seed(1)
    cell = tb.spiking_cell("adex", 6, trained=("tau_w",), init_hidden=True)
    layers = torch.nn.Sequential(
        torch.nn.Linear(4, 6), cell, torch.nn.Linear(6, 3), snntorch.Leaky(0.9, init_hidden=True)
    )
    other, state = tb.spiking_cell("adex", 6, trained=("tau_w",)), ()
    inputs = 3000 * torch.rand(30, 2, 4)
    total = 0.0
    for step in inputs:
        total = total + layers(step)
        spikes, *state = other(layers[0](step), *state)
    assert spikes.shape == (2, 6)
    for kept, given in zip(cell._kept, state, strict=True):
        torch.testing.assert_close(kept, given, rtol=0, atol=0)
    total.sum().backward()
    assert all(p.grad is not None for p in cell.parameters())
    cell.reset_mem()
    first = cell(layers[0](inputs[0]))
    torch.testing.assert_close(first, other(layers[0](inputs[0]))[0])
    with pytest.raises(tb.LearnError, match=r"as many trials as at the last step, 2, found 1; begin anew with"):
        cell(torch.zeros(1, 6))
    with pytest.raises(tb.LearnError, match="expected no state, since the cell keeps it"):
        cell(torch.zeros(2, 6), *state)


@pytest.mark.parametrize("model", ["lif_current", "alif"])
def test_a_scaled_input_of_one_is_about_the_threshold(model):
    def n_spikes(size):
        cell = tb.spiking_cell(model, 1, init_hidden=True, scaled=True)
        return sum(float(cell(torch.full((1, 1), size)).sum()) for _ in range(500))

    assert n_spikes(0.7) == 0
    assert n_spikes(1.3) > 0


class Own(torch.nn.Module):
    """A module as a user writes it: nothing in it knows of pA."""

    def __init__(self, scaled):
        super().__init__()
        self.into, self.out = torch.nn.Linear(8, 16), torch.nn.Linear(16, 2)
        self.cells = tb.spiking_cell("adex", 16, trained=("tau_w",), scaled=scaled)

    def forward(self, inputs):
        state, total = (), 0.0
        for step in inputs:
            spikes, *state = self.cells(self.into(step), *state)
            total = total + self.out(spikes)
        return total / 5


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("scaled", [True, False])
def test_a_scaled_cell_learns_in_a_module_of_the_user_where_one_in_picoampere_does_not(scaled):
    torch.manual_seed(3)
    network, patterns = Own(scaled), torch.rand(2, 8)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)

    def trials(n):
        label = torch.randint(2, (n,))
        return 2.0 * (torch.rand(25, n, 8) < 0.6 * patterns[label]), label

    for _ in range(25):
        inputs, label = trials(64)
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(inputs), label).backward()
        optimiser.step()
    inputs, label = trials(500)
    accuracy = (network(inputs).argmax(1) == label).float().mean().item()
    assert accuracy > 0.95 if scaled else accuracy < 0.6


def test_a_cell_can_return_the_state_that_it_keeps():
    cell = tb.spiking_cell("lif_current", 2, init_hidden=True, output=True)
    spikes, *state = cell(torch.zeros(3, 2))
    assert spikes.shape == (3, 2)
    assert len(state) == len(cell.program.state)
    cell.detach_mem()
    assert len(cell(torch.zeros(3, 2))) == 1 + len(state)


def test_a_convolution_needs_no_flattening_before_a_cell():
    torch.manual_seed(2)
    image = 900 * torch.rand(20, 2, 1, 6, 6)
    convolution = torch.nn.Conv2d(1, 3, 3)
    cell, flat = (tb.spiking_cell("lif_current", 48, init_hidden=hidden) for hidden in (True, False))
    network = torch.nn.Sequential(convolution, cell, torch.nn.Flatten(), torch.nn.Linear(48, 2))
    state = ()
    for step in image:
        outputs = network(step)
        spikes, *state = flat(convolution(step).flatten(1), *state)
    assert outputs.shape == (2, 2)
    assert cell._kept[0].shape == (2, 3, 4, 4)
    torch.testing.assert_close(outputs, network[3](spikes))
    with pytest.raises(tb.LearnError, match=r"shape \(trial, 48\) to exponential_current, found \(2, 3, 4, 5\)"):
        flat(torch.zeros(2, 3, 4, 5))
