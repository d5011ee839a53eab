import math

import snntorch
import torch

from twinbrain.learn.baselines.leaky import LeakyNetwork, decay


def test_a_neuron_follows_the_recurrence_of_the_library():
    # u' = β u + I − s θ, s = (u > θ): reset by subtraction a step later, the default of snnTorch 1.0.
    model = LeakyNetwork(1, 1, 1, decay=0.9)
    with torch.no_grad():
        for layer, weight in ((model.input, 0.4), (model.readout, 2.0)):
            layer.weight.fill_(weight)
            layer.bias.zero_()
    found = model(torch.ones(12, 1, 1))[:, 0, 0].tolist()
    u = readout = 0.0
    for value in found:
        u = 0.9 * u + 0.4 - (u > 1)
        readout = 0.9 * readout + 2.0 * (u > 1)
        assert math.isclose(value, readout, rel_tol=1e-5)  # single precision over twelve steps
    assert max(found) > 2.0


def test_each_call_begins_at_rest():
    model = LeakyNetwork(3, 2, 5)
    input = torch.ones(8, 4, 3)
    assert torch.equal(model(input), model(input))


def test_the_library_does_not_keep_networks_alive():
    before = len(snntorch.SpikingNeuron.instances)
    LeakyNetwork(3, 2, 5)
    assert len(snntorch.SpikingNeuron.instances) == before


def test_decay_is_that_of_an_exponential():
    assert decay(20.0, 20.0) == math.exp(-1)
    assert math.isclose(decay(1.0) ** 20, math.exp(-1))
