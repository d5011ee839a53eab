import torch

from tests.learn.rules.networks import by_rule, chain, make, random_task, recurrent, whole
from twinbrain.learn.diagnose.alignment import directions
from twinbrain.learn.rules.direct_feedback_alignment import remembered_errors
from twinbrain.learn.rules.readout import readout_response
from twinbrain.learn.rules.registry import rule


def test_no_gradient_passes_between_populations():
    # Nøkland 2016: what the first population learns does not depend on the weights that lead on from it, but by the
    # errors of the outputs. Here the second population is silent, whatever these weights are.
    task = random_task()
    network = make(chain(2), task, read=("b",), into=("a",), size="260 pA")
    with torch.no_grad():
        for table in network.tables():
            for number, group in enumerate(table.groups):
                if group.name.startswith("a->b"):
                    chosen = (table.group == number)[table.per_synapse]
                    table.relative[chosen] = -table.relative[chosen].abs()
    found = []
    for factor in (1.0, 3.0):
        for table in network.tables():
            for number, group in enumerate(table.groups):
                if group.name.startswith("a->b"):
                    with torch.no_grad():
                        table.relative[(table.group == number)[table.per_synapse]] *= factor
        assert not network(whole(task).inputs).spikes[:, :, 8:16].any()
        by_rule(rule("direct_feedback_alignment"), network, task)
        found.append(directions(network))
    first, second = (own["input->a:exponential_current"] for own in found)
    assert float(first.norm()) > 0
    assert torch.equal(first, second)


def test_populations_that_are_not_read_learn_too():
    task = random_task()
    network = make(recurrent(), task, read=("i",), size="260 pA")
    by_rule(rule("direct_feedback_alignment"), network, task)
    assert all(float(own.norm()) > 0 for own in directions(network).values())


def test_an_error_counts_for_spikes_that_the_readout_still_remembers():
    task = random_task()
    network = make(chain(1), task, time_constant="10 ms")
    batch = whole(task)
    output = network(batch.inputs).output
    error = torch.randn(output.shape, generator=torch.Generator().manual_seed(0), dtype=output.dtype)
    response = readout_response(network, "")
    found = remembered_errors(error, response)
    age = (torch.arange(len(error))[None] - torch.arange(len(error))[:, None]).double()
    kernel = torch.where(age >= 0, torch.exp(-age.clamp(min=0) / 10.0), 0.0) * response.gain["v"]
    torch.testing.assert_close(found, torch.einsum("ts,sbo->tbo", kernel, error))
