from dataclasses import replace

import numpy as np
import pytest

from tests.examples import build_brain, build_region, region_data, small_brain
from tests.exchange.models import leaky_region
from tests.network.test_layout import TONIC
from twinbrain.errors import SpecError
from twinbrain.exchange.draw import draw_circuit
from twinbrain.exchange.lower import lower_circuit
from twinbrain.spec.region import Region


def by_neurons(network):
    """Return every synapse as source, target, receptor, weight and delay, in one order."""
    rows = []
    for table in network.tables:
        source = np.repeat(np.arange(network.n_neurons), np.diff(table.row_start))
        for block in network.blocks:
            for inlet in block.inlets:
                kept = (table.post >= inlet.start) & (table.post < inlet.stop)
                target = block.neurons[table.post[kept] - inlet.start]
                weight = table.weight[kept] * inlet.quantum
                part = zip(source[kept], target, weight, table.delay[kept], strict=True)
                rows += [(int(s), int(t), table.receptor, table.origin, float(w), int(d)) for s, t, w, d in part]
    return sorted(rows)


def test_a_circuit_has_the_synapses_and_constants_of_its_brain_to_the_last_bit():
    brain = small_brain(3, coupling=1.3)
    built, lowered = build_brain(brain, seed=2), lower_circuit(draw_circuit(brain, seed=2))
    assert by_neurons(lowered) == by_neurons(built)
    blocks = {block.name: block for block in lowered.blocks}
    for block in built.blocks:
        for name, values in block.constants.items():
            np.testing.assert_array_equal(blocks[block.name].constants[name], values)
        for name, values in block.initial.items():
            np.testing.assert_array_equal(blocks[block.name].initial[name], values)
    for found, expected in zip(lowered.drives, built.drives, strict=True):
        assert (found.name, found.key, found.mean, found.first_step) == (
            expected.name,
            expected.key,
            expected.mean,
            expected.first_step,
        )
        np.testing.assert_array_equal(found.thresholds, expected.thresholds)


def test_quanta_are_so_small_that_a_wide_range_of_weights_is_kept():
    circuit = draw_circuit(leaky_region("delta"))
    first = circuit.projections[0]
    weight = np.geomspace(1e-3, 1.0, len(first.weight))
    lowered = lower_circuit(replace(circuit, projections=(replace(first, weight=weight),)))
    (table,), (block,) = lowered.tables, lowered.blocks
    # The rounding error is at most half a quantum, and sums of up to 2**31 quanta are allowed.
    np.testing.assert_allclose(np.sort(table.weight * block.inlets[0].quantum), weight, rtol=1e-5)
    bound = np.bincount(table.post, weights=np.abs(table.weight))
    assert 2**30 * (1 - 1e-5) < bound.max() <= 2**31 - 1


def test_a_delay_beyond_the_range_is_refused():
    circuit = draw_circuit(leaky_region("delta"))
    first = circuit.projections[0]
    long = replace(first, delay=first.delay + 2**16)
    with pytest.raises(SpecError, match="expected delays of at most 65535 steps"):
        lower_circuit(replace(circuit, projections=(long,)))


def test_a_negative_conductance_is_refused():
    circuit = draw_circuit(small_brain(1))
    first = next(own for own in circuit.projections if own.receptor == "ampa")
    negative = replace(circuit, projections=(replace(first, weight=-first.weight),))
    with pytest.raises(
        SpecError, match=r"population \w+: weight: .* 'ampa' is a conductance, found -.*; correct the file"
    ):
        lower_circuit(negative)
    drive = replace(next(own for own in circuit.drives if own.receptor == "ampa"), weight=-1.0)
    with pytest.raises(SpecError, match=r"'ampa' is a conductance, found -1 nS \(1 of 1 are negative\); correct"):
        lower_circuit(replace(circuit, drives=(drive,)))


def test_a_parameter_without_a_value_is_refused():
    circuit = draw_circuit(leaky_region("delta"))
    population = circuit.populations[0]
    model = population.model.model_copy(update={"parameters": {}})
    bare = replace(population, model=model, parameters={})
    with pytest.raises(SpecError, match=r"population test/leaky: exc: parameters\.C_m: expected a value in pF"):
        lower_circuit(replace(circuit, populations=(bare, circuit.populations[1])))


def test_neurons_feel_what_they_felt_in_the_brain():
    region = Region.parse(region_data(TONIC))
    built, lowered = build_region(region, seed=2), lower_circuit(draw_circuit(region, seed=2))
    assert len(built.blocks) == 2
    for block, expected in zip(lowered.blocks, built.blocks, strict=True):
        assert (block.name, block.program, block.neurons.tolist()) == (
            expected.name,
            expected.program,
            expected.neurons.tolist(),
        )
