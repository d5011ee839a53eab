"""What a region has become is a region: nothing in it is drawn, and nothing in it is another's."""

import numpy as np
import pytest
import torch
import xarray as xr

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels
from twinbrain.learn.background import background
from twinbrain.learn.export import export_region
from twinbrain.learn.lower import lower
from twinbrain.learn.replay import replay
from twinbrain.learn.settled import settled
from twinbrain.learn.setup import set_up
from twinbrain.learn.trained import Trained
from twinbrain.learn.wiring import quanta_of, synapses_of
from twinbrain.spec.training import Training

TASK = which_channels(n_trials=24)
CURRENT = ("exponential_current",)


def cell(**parameters):
    return tb.Cell(model="lif_current", receptors=CURRENT, parameters=parameters)


def region_of(cells, populations, **others):
    sizes = {name: tb.Population(cell=own, size=4) for name, own in populations.items()}
    return tb.Region(name="test/export", cells=cells, populations=sizes, **others)


def trained(region, trainable=("weight",)):
    """Return a training of no epochs, each of whose parameters has another value."""
    training = Training(task="unused", trainable=trainable, input={"weight": "800 pA"}, precision="float64")
    setup = set_up(region, training, tb.Run(dt="1 ms"), TASK)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in setup.network.parameters():
            parameter.add_(0.2 * torch.rand(parameter.shape, generator=random))
    return Trained(setup, xr.Dataset())


def parameters_of(model, name, seed=0):
    lowered = lower(model, dt=1.0, seed=seed)
    return {
        p.population: lowered.parameters[p.block][name][p.offset : p.offset + p.size]
        for p in lowered.network.populations
        if name in lowered.parameters[p.block]
    }


SHARED = {"exc": cell(C_m="400 pF"), "exc_fast": cell(C_m="50 pF")}
POPULATIONS = {"fast": "exc", "slow": "exc", "other": "exc_fast"}


def test_each_population_has_the_parameters_that_it_was_trained_with():
    found = trained(region_of(SHARED, POPULATIONS), {"weight": "synapse", "C_m": {"*.fast": "neuron"}})
    values = parameters_of(found.model, "C_m")
    assert len(set(values["fast"])) == 4
    assert set(values["fast"]).isdisjoint({50.0, 400.0})
    np.testing.assert_array_equal(values["slow"], 400.0)
    np.testing.assert_array_equal(values["other"], 50.0)
    cells = {name: population.cell for name, population in found.model.populations.items()}
    assert (cells["fast"], cells["slow"], cells["other"]) == ("exc_fast_2", "exc_slow", "exc_fast")
    assert found.replay("reference", 4).mismatched == 0


def test_populations_share_a_cell_where_they_have_not_become_different():
    found = trained(region_of(SHARED, POPULATIONS)).model
    assert {name: found.populations[name].cell for name in POPULATIONS} == POPULATIONS
    assert found.cells["exc"] == SHARED["exc"]


def test_classes_are_those_that_were_declared():
    found = trained(region_of(SHARED, POPULATIONS), {"C_m": "neuron"})
    assert "exc" not in found.model.cells
    responses = found.responses()
    classes = dict(zip(responses["population"].values, responses["cell"].values, strict=True))
    assert classes == POPULATIONS | {"input": "input", "readout": "readout"}
    without = found.responses(without="exc")
    assert responses["count"].isel(neuron=responses["cell"].values == "exc").sum() > 50
    assert (without["output"] != responses["output"]).any()
    assert (without["count"] == responses["count"]).all()


def test_nothing_is_drawn_from_defaults_of_models_and_receptors():
    spread = {"tau": {"lognormal": ["20 ms", 0.5]}}
    model = {
        "equations": "dv/dt = (R*I_syn - v)/tau : volt\nR : ohm\ntau : second\nV_th : volt",
        "threshold": "v > V_th",
        "reset": "v = 0*mV",
        "method": "euler",
        "parameters": {"R": "40 Mohm", "V_th": "15 mV"} | spread,
    }
    receptor = {
        "equations": "x : amp\ntau_r : second\nI = x*ms/tau_r : amp",
        "jump": "x",
        "current": "I",
        "parameters": {"tau_r": {"uniform": ["2 ms", "9 ms"]}},
    }
    cells = {"c": tb.Cell(model="m", receptors=("own",)), "d": tb.Cell(model="m", receptors=("current",))}
    region = region_of(
        cells,
        {"c": "c", "d": "d"},
        models={"m": tb.NeuronModel.parse(model)},
        receptors={"own": tb.ReceptorModel.parse(receptor)},
    )
    found = trained(region)
    before = found.setup.network.lowered
    assert set(found.model.cells["c"].parameters) == {"tau", "tau_r"}
    assert set(found.model.cells["d"].parameters) == {"tau"}
    for name, populations in {"tau": "cd", "tau_r": "c"}.items():
        for population in populations:
            p = before.population(population)
            expected = before.parameters[p.block][name][p.offset : p.offset + p.size]
            assert len(set(expected)) == 4
            np.testing.assert_array_equal(parameters_of(found.model, name, seed=9)[population], expected)


def test_a_replay_holds_what_was_exported_against_what_was_trained():
    found = trained(region_of(SHARED, POPULATIONS))
    other = found.model.replace(cells=found.model.cells | {"exc": cell(C_m="100 pF")})
    wrong = trained(other).setup.network
    index = np.arange(4)
    learned = settled(found.setup.network)
    assert replay(learned, found.network, TASK, TASK.test, index, "reference", 0).mismatched == 0
    assert replay(learned, wrong, TASK, TASK.test, index, "reference", 0).mismatched > 0


def test_a_settled_network_has_the_constants_of_engines_to_the_bit():
    found = trained(region_of(SHARED, POPULATIONS), {"C_m": "neuron", "tau_exponential_current": "neuron"})
    own = settled(found.setup.network)
    again = lower(export_region(found.setup.network), dt=1.0, seed=3)
    for cell_, block in zip(own.blocks(), again.network.blocks, strict=True):
        for name, values in block.constants.items():
            np.testing.assert_array_equal(cell_.constants()[name].numpy(), values, err_msg=name)


DRIVES = (
    tb.Drive(population="e", receptor="exponential_current", rate="1 kHz", weight="30.1 pA"),
    tb.Drive(population="e", receptor="current", noise="40 pA"),
)


def synapses(network, weights):
    """Return all synapses in one order, with weights in the units of their receptors."""
    ends = synapses_of(network)
    found = np.stack([ends["pre"], ends["post"], ends["delay"], weights])
    return found[:, np.lexsort(found)]


# By 1/1000 most weights become one quantum or none; 300 is more than the search for those of the input multiplies by.
@pytest.mark.parametrize("factor", [1e-3, 0.3, 300.0])
@pytest.mark.parametrize("trainable", [("weight",), {"weight": {"e->readout:*": "synapse"}}, {"C_m": "neuron"}])
def test_the_quanta_of_learning_are_those_of_the_exported_model(factor, trainable, tmp_path):
    found = trained(recurrent(drives=DRIVES), trainable)
    network = found.setup.network
    for weights in network.tables():
        for group in range(len(weights.groups)):
            weights.multiply(group, factor)
    tb.write_region(found.model, tmp_path / "trained.toml")
    region = tb.load_region(tmp_path / "trained.toml")
    before, after = network.lowered, lower(region, dt=1.0, seed=5)
    np.testing.assert_array_equal(quanta_of(after.network), quanta_of(before.network))
    exported = np.concatenate([table.weight * quanta_of(after.network)[table.post] for table in after.network.tables])
    learned = network.all_weights().detach().numpy()
    np.testing.assert_array_equal(synapses(after.network, exported), synapses(before.network, learned))
    assert torch.equal(background(after, [7], 50), background(before, [7], 50))


def test_a_model_that_was_trained_is_counted_in_the_same_quanta_when_it_is_trained_on():
    found = trained(recurrent(drives=DRIVES))
    assert set(found.model.quanta) == {"delta", "exponential_current", "current"}
    assert trained(found.model).model.quanta == found.model.quanta
