"""What a brain has become is a brain: the same network, whatever the seed, in every engine and from its files."""

import numpy as np
import pytest
import torch

import twinbrain as tb
from tests.learn.brains import joined
from tests.learn.networks import recurrent, which_channels
from twinbrain.learn.attach import attach
from twinbrain.learn.export import export_brain, export_model
from twinbrain.learn.lower import lower
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.replay import replay
from twinbrain.learn.settled import settled
from twinbrain.learn.setup import background_of
from twinbrain.learn.wiring import quanta_of
from twinbrain.spec.training import InputSpec, ReadoutSpec, Surrogate, Trainable

TASK = which_channels(n_trials=6, n_steps=80, dt=0.5)
NOISE = {"population": "e", "receptor": "exponential_current", "rate": "600 Hz", "weight": "250 pA"}
INDEX = np.arange(4)


def network_of(brain, trained=None, seed=3, input_="A", readout="C"):
    attached = attach(brain, TASK, InputSpec(region=input_, weight="250 pA"), ReadoutSpec(region=readout))
    trained = trained or Trainable.parse(["weight"])
    return TrainableNetwork(lower(attached, dt=0.5, seed=seed), trained, Surrogate(), "float64")


@torch.no_grad()
def changed(network):
    """Change all that is trained, as learning does."""
    random = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        parameter.mul_(1 + torch.rand(parameter.shape, generator=random)).add_(
            0.1 * torch.rand(parameter.shape, generator=random)
        )
    network.keep_signs()
    if network.delays is not None:  # whole steps, as at the end of a training
        network.delays.width = 1.0
        network.delays.change.copy_(torch.round(network.delays.change * 100) / network.delays.scale)
    return network


def lowered_anew(brain, seed):
    return TrainableNetwork(lower(brain, dt=0.5, seed=seed), Trainable.parse(["weight"]), Surrogate(), "float64")


def activity(network, seed=8):
    drawn = background_of(network.lowered, "test", seed, INDEX, TASK.test.n_steps)
    with torch.no_grad():
        return network(torch.as_tensor(TASK.test.spikes(INDEX, TASK.n_channels)), drawn)


@pytest.mark.parametrize("factor", [1e-3, 300.0])
def test_the_quanta_of_learning_are_those_of_the_exported_brain(factor):
    network = network_of(joined(drives=[NOISE], coupling=1.3))
    for weights in network.tables():
        for group in range(len(weights.groups)):
            weights.multiply(group, factor)
    before, after = network.lowered.network, lower(export_brain(network), dt=0.5, seed=5).network
    np.testing.assert_array_equal(quanta_of(after), quanta_of(before))
    exported = np.concatenate([table.weight * quanta_of(after)[table.post] for table in after.tables])
    np.testing.assert_array_equal(np.sort(exported), np.sort(network.all_weights().detach().numpy()))


def same(one, other):
    assert one.spikes.sum() > 200
    torch.testing.assert_close(one.spikes, other.spikes, rtol=0, atol=0)
    torch.testing.assert_close(one.output, other.output, rtol=0, atol=0)


@pytest.fixture(scope="module")
def trained():
    """A network of four driven regions of which everything has changed."""
    everything = Trainable(
        weight={"A.*->B.*": "region", "*": "synapse"},
        values={"C_m": {"*": "neuron"}, "V_th": {"B.*": "population"}},
        delay=("C.*->D.*",),
    )
    return changed(network_of(joined(drives=(NOISE,), coupling=1.3), everything))


@pytest.fixture(scope="module")
def exported(trained):
    return export_brain(trained)


def test_it_is_the_same_network_for_any_seed(trained, exported):
    for seed in (3, 77):
        again = lowered_anew(exported, seed)
        for one, other in zip(trained.lowered.network.blocks, again.lowered.network.blocks, strict=True):
            assert [i.quantum for i in one.inlets] == [i.quantum for i in other.inlets]
        torch.testing.assert_close(again.all_weights().sort()[0], trained.all_weights().sort()[0], rtol=0, atol=0)
        same(activity(trained), activity(again))


@pytest.mark.parametrize("engine", ["reference", "brian2-numpy"])
def test_its_spikes_are_those_of_what_was_trained_in_every_engine(trained, exported, engine):
    found = replay(settled(trained), lowered_anew(exported, 5), TASK, TASK.test, INDEX[:2], engine, 8)
    assert found.n_spikes > 100
    assert found.mismatched == 0
    assert found.score == found.score_trained


def test_drives_that_gave_way_to_the_connectome_have_what_was_left_of_them():
    brain = joined(drives=(NOISE,), weight=None, share=0.4)
    rates = {"e": {"low": "5 Hz", "high": "15 Hz", "source": "10.1000/x"}}
    brain = brain.replace(regions={"*": brain.regions["*"].replace(expected=rates)})
    network = network_of(brain)
    again = lowered_anew(export_brain(network), 77)
    drives = network.lowered.network.drives
    assert [drive.mean for drive in drives] == [drive.mean for drive in again.lowered.network.drives]
    assert drives[0].mean == pytest.approx(0.6 * 600e-3 * 0.5)
    same(activity(network), activity(again))


def test_every_node_has_its_own_region_and_every_tract_its_own_synapses(trained, exported):
    assert [region.name for region in exported.regions.values()] == [f"test/recurrent.{label}" for label in "ABCD"]
    assert (exported.long_range, exported.coupling) == (None, 1.0)
    tracts = {(p.source[0], p.target[0]) for p in exported.projections}
    assert tracts == {(a, b) for a in "ABCD" for b in "ABCD" if a != b}
    own = sum(len(p.connect.pairs) for region in exported.regions.values() for p in region.projections)
    between = sum(len(p.connect.pairs) for p in exported.projections)
    assert own + between == trained.lowered.network.n_synapses
    tract = next(p for p in exported.projections if p.key == "A.e->B.e:exponential_current")
    declared = trained.lowered.brain.connectome.length.sel(source="A", target="B")
    assert tract.delay == f"{float(declared) / 10:g} ms"
    free = next(p for p in exported.projections if p.key == "C.e->D.e:exponential_current")
    assert len(set(free.delay.values)) > 3


def test_what_was_exported_is_exported_again_as_it_is(exported):
    # Synapses are sorted by delay, and some delays were trained.
    again = export_model(lowered_anew(exported, 5))
    assert again.regions.keys() == exported.regions.keys()
    assert [p.key for p in again.projections] == [p.key for p in exported.projections]
    assert export_model(lowered_anew(again, 6)) == again


def test_its_files_give_the_same_network_wherever_they_are(trained, exported, tmp_path, monkeypatch):
    path = tb.write_brain(exported, tmp_path / "a", run=tb.Run(dt="0.5 ms", duration="60 ms"))
    (tmp_path / "a").rename(tmp_path / "b")
    path = tmp_path / "b" / path.name
    monkeypatch.chdir(tmp_path / "b" / "regions")
    read = tb.load_workflow(path)
    assert read.brain.regions == exported.regions
    assert read.brain.projections == exported.projections
    same(activity(trained), activity(lowered_anew(read.brain, 9)))
    run = tb.simulate(path, engine="reference", out=tmp_path / "run.zarr")
    assert run.attrs["dt"] == 0.5
    assert run["spikes"].sizes["spike"] > 10


def test_labels_may_have_any_characters():
    labels = ("[A]*", "A", "A?")
    network = network_of(joined(labels), input_="[[]A[]]*", readout="A")
    exported = export_brain(network)
    assert exported.assignment(list(labels)) == list(exported.regions.values())
    assert len({region.name for region in exported.regions.values()}) == 3
    again = lowered_anew(exported, 1)
    same(activity(network), activity(again))


def test_a_parameter_is_written_as_what_it_is_worth():
    region = recurrent("izhikevich_2003")
    spread = {"a": {"uniform": ["0.015/ms", "0.025/ms"]}, "b": "200 Hz"}
    region = region.replace(cells={name: cell.replace(parameters=spread) for name, cell in region.cells.items()})
    network = TrainableNetwork(
        lower(attach(region, TASK, InputSpec(), ReadoutSpec()), dt=0.5, seed=3),
        Trainable.parse(["a"]),
        Surrogate(),
        "float64",
    )
    exported = export_model(network)
    for block, (again, before) in enumerate(
        zip(lower(exported, dt=0.5, seed=9).parameters, network.lowered.parameters, strict=True)
    ):
        for name, values in before.items():
            np.testing.assert_array_equal(again[name], values, err_msg=f"{block}: {name}")
    assert 0.015 < exported.cells["e"].parameters["a"].values.min() < 0.025
    assert exported.cells["e"].parameters["a"].unit == "1/ms"
