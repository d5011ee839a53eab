"""Drives and stimuli in files: what is random can be kept in a circuit; all else is refused by name or left out."""

import csv
import json

import h5py
import numpy as np
import pytest

import twinbrain as tb
from tests.examples import build_brain, build_region
from tests.exchange.models import leaky_data, spikes_of
from tests.spec.test_write import trained_region
from twinbrain.engines.conformance_networks import library_region
from twinbrain.errors import SpecError
from twinbrain.exchange.draw import draw_circuit
from twinbrain.exchange.lower import lower_circuit
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.plasticity import PLASTICITY_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.region import Region
from twinbrain.spec.workflow import Workflow

SIGNALS = {
    "a constant current": {"current": "50 pA"},
    "pulses": {"pulses": {"amplitude": "200 pA", "width": "5 ms", "period": "20 ms"}},
    "a sine": {"sine": {"amplitude": "100 pA", "frequency": "40 Hz"}},
    "given spikes": {
        "spikes": {"times": [1, 30, 70], "unit": "ms", "weight": "300 pA"},
        "receptor": "exponential_current",
    },
    "a given waveform": {"waveform": {"values": [0, 80, -30], "unit": "pA", "interval": "7 ms", "repeat": True}},
}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "circuit"


def driven_region(*drives, **changes):
    """Return 26 leaky neurons, the excitatory ones of them driven."""
    data = leaky_data("exponential_current")
    data["drives"] = [{"population": "exc", **drive} for drive in drives]
    for cell, parameters in changes.items():
        data["cells"][cell]["parameters"] |= parameters
    return Region.parse(data)


def templates(folder):
    with (folder / "node_types.csv").open() as file:
        return {row["population"]: row["model_template"] for row in csv.DictReader(file, delimiter=" ")}


def write(kind, model, path, **options):
    (tb.write_nir if kind == "nir" else tb.write_sonata)(model, path, **options)


def test_noise_that_is_kept_in_a_circuit_is_the_same_to_the_last_bit(folder):
    region = driven_region(
        {"noise": 1.0},
        {"noise": "60 pA"},
        {"population": "inh", "receptor": "exponential_current", "rate": "500 Hz", "weight": "30 pA"},
        exc={"sigma_ou_current": {"uniform": ["20 pA", "90 pA"]}, "mean_ou_current": "15 pA"},
    )
    tb.write_sonata(region, folder, seed=3, drives="keep")
    expected, found = build_region(region, seed=3), tb.read_sonata(folder)
    assert [drive.offset > 0 for drive in found.drives] == [True, True, False]
    for one, other in zip(found.drives, expected.drives, strict=True):
        assert (one.name, one.key, one.mean, one.offset) == (other.name, other.key, other.mean, other.offset)
        np.testing.assert_array_equal(one.thresholds, other.thresholds)
    rows = spikes_of(expected, 1500)
    assert len(rows) > 26 * 3
    np.testing.assert_array_equal(spikes_of(found, 1500), rows)
    # Without the noise, the same neurons do something else.
    quiet = spikes_of(build_region(driven_region(), seed=3), 1500)
    assert not np.array_equal(rows, quiet)


def test_a_stimulus_of_noise_is_kept_with_its_steps(folder):
    stimulus = Stimulus(name="hiss", population="inh", noise=1.0, start="50 ms", duration="100 ms")
    brain = single_region_brain(driven_region())
    tb.write_sonata(Workflow(brain=brain, stimuli=(stimulus,), name="hiss"), folder, seed=2, drives="keep")
    found = tb.read_sonata(folder)
    assert [(drive.first_step, drive.last_step) for drive in found.drives] == [(500, 1500)]
    expected = build_brain(brain, seed=2, stimuli=(stimulus,))
    np.testing.assert_array_equal(spikes_of(found, 2000), spikes_of(expected, 2000))


def test_a_circuit_with_drives_is_read_in_their_steps_alone(folder):
    """A mean and a window that are counted in steps would be others in other steps."""
    tb.write_sonata(driven_region({"noise": "50 pA"}), folder, drives="keep")
    assert tb.read_sonata(folder, dt="100 us").dt == pytest.approx(0.1)
    with pytest.raises(tb.ExchangeError, match=r"drives: expected the dt .* 0\.05 ms and 0\.1 ms in the file; read"):
        tb.read_sonata(folder, dt="0.05 ms")
    tb.write_sonata(driven_region(), folder, overwrite=True)
    assert tb.read_sonata(folder, dt="0.05 ms").dt == 0.05


@pytest.mark.parametrize("where", ["A", "B"])
def test_a_stimulus_that_brings_a_receptor_to_one_node_alone_is_kept(where, folder):
    tract = np.array([[0.0, 1.0], [1.0, 0.0]])
    brain = tb.Brain(connectome=tb.Connectome(tract, 10 * tract, ["A", "B"]), regions={"*": driven_region()})
    stimulus = Stimulus(name="hiss", regions=where, population="exc", noise=1.0, start="0 ms", duration="100 ms")
    workflow = Workflow(brain=brain, stimuli=(stimulus,), name="hiss", run={"seed": 2, "duration": "100 ms"})
    run = tb.simulate(workflow, engine="reference")
    tb.write_sonata(workflow, folder, drives="keep", run=run)
    found = spikes_of(tb.read_sonata(folder), 1000)
    np.testing.assert_array_equal(found, spikes_of(build_brain(brain, seed=2, stimuli=(stimulus,)), 1000))
    with h5py.File(folder / "spikes.h5") as file:
        assert set(file["spikes"]) == {"exc", "exc_2", "inh"}
        assert sum(len(group["node_ids"]) for group in file["spikes"].values()) == len(found)


def test_a_coloured_current_with_a_mean_flows_in_cells_without_noise_too(folder, tmp_path):
    data = driven_region({"noise": 1.0}, exc={"mean_ou_current": "40 pA"}).to_dict()
    data["populations"]["silent"] = {"cell": "exc", "size": 5}
    region = Region.parse(data)
    tb.write_sonata(region, folder, seed=3, drives="keep")
    assert templates(folder)["silent"] == "twinbrain:lif_current"
    np.testing.assert_array_equal(spikes_of(tb.read_sonata(folder)), spikes_of(build_region(region, seed=3)))
    refused = r"silent\.receptors: expected no current but I_e, found one that ou_current gives though nothing arrives"
    with pytest.raises(tb.ExchangeError, match=refused):
        tb.write_nir(region, tmp_path / "model.nir", drives="drop")


def test_every_model_and_receptor_of_the_library_is_in_a_circuit_what_it_is_in_a_run(folder):
    region = library_region(4)
    fixed = tuple(projection for projection in region.projections if projection.plasticity is None)
    region = region.model_copy(update={"projections": fixed})
    tb.write_sonata(region, folder, drives="keep")
    assert set(templates(folder).values()) == {f"twinbrain:{name}" for name in NEURON_MODELS}
    expected, found = build_region(region, seed=0), tb.read_sonata(folder)
    assert {inlet.receptor for block in found.blocks for inlet in block.inlets} == set(RECEPTOR_MODELS)
    rows = spikes_of(expected, 400)
    assert len(set(rows[:, 1] // 4)) == len(NEURON_MODELS) - 1  # a leaky integrator never spikes
    np.testing.assert_array_equal(spikes_of(found, 400), rows)


def test_explicit_values_are_in_a_circuit_what_they_are_in_a_run(folder):
    tb.write_sonata(trained_region(), folder, drives="keep")
    rows = spikes_of(build_region(trained_region(), seed=0), 600)
    assert len(rows) > 50
    np.testing.assert_array_equal(spikes_of(tb.read_sonata(folder), 600), rows)


def test_every_model_and_receptor_that_nir_has_not_is_refused_by_name(tmp_path):
    with pytest.raises(tb.ExchangeError) as caught:
        tb.write_nir(library_region(2), tmp_path / "model.nir", drives="drop")
    text = str(caught.value)
    for rule in PLASTICITY_MODELS:
        assert f"projection {rule}: expected fixed weights, found plasticity" in text
    for name in set(NEURON_MODELS) - {"lif_current"}:
        assert f"expected lif_current, found {name};" in text
    for problem in (
        "population lif_current.receptors: expected delta or exponential_current, found alpha_current",
        "population glif.receptors: expected delta or exponential_current, found alpha_current, current",
        "population izhikevich_2007.receptors: expected delta or exponential_current, found alpha_conductance",
    ):
        assert problem in text


@pytest.mark.parametrize("kind", ["nir", "sonata"])
@pytest.mark.parametrize("what", SIGNALS)
def test_input_that_is_a_function_of_time_is_refused_by_name(what, kind, tmp_path):
    drive = SIGNALS[what]
    region = driven_region(drive, exc={"t_ref": "0 ms"})
    stimulus = Stimulus(name="probe", population="inh", start="10 ms", duration="90 ms", **drive)
    model = Workflow(brain=single_region_brain(region), stimuli=(stimulus,), name="probed")
    receptor = drive.get("receptor", "current")
    advice = "give it as I_e, or " if what == "a constant current" else ""
    for drives in ("refuse",) if kind == "nir" else ("refuse", "keep"):
        with pytest.raises(tb.ExchangeError) as caught:
            write(kind, model, tmp_path / "model", drives=drives)
        found = f"expected no input from outside, found {what}"
        assert str(caught.value).splitlines()[-2:] == [
            f"{kind.upper()} cannot express: region test/leaky: drive 0 exc:{receptor}: {found}; "
            f'{advice}leave it out with drives="drop" (--drives drop)',
            f"{kind.upper()} cannot express: region test/leaky: stimulus probe inh:{receptor}: {found}; "
            'leave it out with drives="drop" (--drives drop)',
        ]
        assert len(caught.value.problems) == 2
        assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def undriven():
    """The spikes of neurons without input, in 100 ms."""
    return spikes_of(build_region(driven_region(), seed=3), 1000)


@pytest.mark.parametrize("kind", ["nir", "sonata"])
@pytest.mark.parametrize("drive", [*SIGNALS.values(), {"noise": "50 pA"}, {"noise": 1.0}])
def test_input_that_is_left_out_leaves_the_neurons_as_they_are_without_it(drive, kind, tmp_path, undriven):
    write(kind, driven_region(drive), tmp_path / "model", seed=3, drives="drop")
    found = (tb.read_nir if kind == "nir" else tb.read_sonata)(tmp_path / "model")
    assert (found.drives, found.waveforms, len(found.events)) == ((), (), 0)
    assert len(undriven) > 26
    np.testing.assert_array_equal(spikes_of(found, 1000), undriven)
    if kind == "sonata":
        assert set(templates(tmp_path / "model").values()) == {"nest:iaf_psc_exp"}


def test_a_circuit_with_input_that_it_does_not_hold_is_not_lowered_without_it():
    circuit = draw_circuit(driven_region(SIGNALS["a sine"]))
    with pytest.raises(SpecError, match="drive 0 exc:current: expected no input from outside, found a sine; leave it"):
        lower_circuit(circuit)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"population": 7}, "twinbrain.drives[0]: unknown node type 7; Known: 100, 101"),
        ({"receptor": "ampa"}, "twinbrain.drives[0]: unknown receptor 'ampa'; Known: "),
        ({"kind": "nose"}, "twinbrain.drives[0]: unknown kind 'nose'; did you mean 'noise'? Known: "),
        ({"man": 1}, "twinbrain.drives[0]: expected the keys of a drive, found man amiss"),
    ],
)
def test_a_fault_in_a_kept_drive_is_one_error_that_names_it(change, part, folder):
    tb.write_sonata(driven_region({"noise": "50 pA"}), folder, drives="keep")
    path = folder / "circuit_config.json"
    config = json.loads(path.read_text())
    config["twinbrain"]["drives"][0] |= change
    path.write_text(json.dumps(config))
    with pytest.raises(tb.ExchangeError) as caught:
        tb.read_sonata(folder)
    assert part in str(caught.value)
    assert str(path) in str(caught.value)
