import torch

from tests.learn.rules.networks import chain, make, objective, random_task, whole
from twinbrain.learn.diagnose.memory import Made, Saved, memory, with_steps
from twinbrain.learn.rules.registry import rule


def test_what_is_saved_is_counted_once_and_forgotten_with_the_graph():
    saved = Saved()
    x = torch.ones(1000, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(saved.pack, saved.unpack):
        y = (x * x).exp()
    assert saved.count.now == saved.count.peak == 8000  # x once, though it is saved twice, and the exponential
    del y
    assert saved.count.now == 0


def test_what_is_made_is_counted_while_it_lives():
    with Made() as made:
        a = torch.zeros(1000)
        b = a + 1
        del a
        view = b[:10]
        c = torch.zeros(500)
    assert made.count.peak == 8000
    assert made.count.now == 6000
    del view, b, c
    assert made.count.now == 0


def test_memory_of_backpropagation_grows_with_the_steps():
    task = random_task(n_steps=10)
    network, goal, own = make(chain(1), task), objective(task), rule("bptt")
    found = memory(network, whole(task), goal, own, [10, 20, 40])
    growth = found.held.diff("steps").values
    assert growth[0] > 0
    assert growth[1] == 2 * growth[0]
    assert (found.peak > found.held).all()


def test_trials_are_repeated_or_cut_to_a_number_of_steps():
    batch = whole(random_task(n_steps=10, kind="regression"))
    for n in (4, 25):
        found = with_steps(batch, n)
        assert found.inputs.shape[0] == found.scored.shape[1] == found.target.shape[1] == n
    assert torch.equal(found.inputs[10:20], batch.inputs)
