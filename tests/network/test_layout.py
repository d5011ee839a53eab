import numpy as np
import pytest

from tests.examples import CORTEX, RELAY, build_region, region_data, relay_region, small_brain, two_population_region
from twinbrain.engines.reference import prepare as reference
from twinbrain.errors import SpecError
from twinbrain.models.neurons import ADEX
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.network.build import block_programs
from twinbrain.network.layout import lay_out
from twinbrain.network.quanta import weight_units
from twinbrain.spec.brain import Brain
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.region import Region


def layout_of(*regions):
    labels = [f"r{i}" for i in range(len(regions))]
    n = len(regions)
    connectome = Connectome([[0.0] * n] * n, [[0.0] * n] * n, labels)
    return lay_out(Brain(connectome=connectome, regions=dict(zip(labels, regions, strict=True))), connectome)


@pytest.mark.parametrize("n_regions", [2, 96])
def test_there_is_one_block_a_model_however_many_regions(n_regions):
    brain = small_brain(n_regions)
    layout = lay_out(brain, brain.connectome)
    assert sorted(block.name for block in layout.blocks) == [
        "adex",
        "izhikevich_2007",
        "lif_conductance",
        "lif_current",
    ]
    assert sum(block.size for block in layout.blocks) == layout.n_neurons
    n_relays = len([label for label in brain.connectome.labels if label.startswith("TH")])
    assert layout.n_neurons == 50 * (n_regions - n_relays) + 28 * n_relays


def test_neurons_are_numbered_region_by_region_and_fill_their_blocks_in_that_order():
    brain = small_brain(6)
    layout = lay_out(brain, brain.connectome)
    assert [(p.label, p.population) for p in layout.populations[:4]] == [
        ("CX-0", "pyr"),
        ("CX-0", "pv"),
        ("TH-1", "relay"),
        ("TH-1", "local"),
    ]
    start, offsets = 0, [0] * len(layout.blocks)
    for population in layout.populations:
        assert (population.start, population.offset) == (start, offsets[population.block])
        start = population.stop
        offsets[population.block] += population.size
        assert layout.find(population.label, population.population) is population
    assert offsets == [block.size for block in layout.blocks]


def test_a_block_has_the_receptors_of_all_its_cells():
    data = region_data(RELAY)
    data["cells"]["relay"]["model"] = "adex"
    data["cells"]["relay"] = {"model": "adex", "receptors": ["ampa", "nmda", "gaba_a", "exponential_current"]}
    layout = layout_of(two_population_region(), Region.parse(data))
    blocks = {block.name: list(block.receptors) for block in layout.blocks}
    assert blocks["adex"] == ["ampa", "exponential_current", "gaba_a", "gaba_b", "nmda"]
    assert blocks["lif_conductance"] == ["ampa", "gaba_a"]


# In the second cell's neurons flows nothing, though they are of the same model.
TONIC = """
    name = "test/tonic"
    [receptors.tonic]
    equations = '''
    I_tonic = level_tonic + x_tonic : amp
    dx_tonic/dt = -x_tonic/tau_tonic : amp
    level_tonic : amp
    tau_tonic : second
    '''
    jump = "x_tonic"
    current = "I_tonic"
    parameters = { level_tonic = "400 pA", tau_tonic = "5 ms" }
    [cells]
    with = { model = "lif_current", receptors = ["tonic"] }
    without = { model = "lif_current" }
    [populations]
    a = { cell = "with", size = 2 }
    b = { cell = "without", size = 3 }
"""


def test_neurons_do_not_feel_a_receptor_that_their_cell_does_not_list():
    network = build_region(Region.parse(region_data(TONIC)))
    assert [(block.name, block.size, len(block.inlets)) for block in network.blocks] == [
        ("lif_current", 2, 1),
        ("lif_current_2", 3, 0),
    ]
    simulation = reference(network)
    simulation.advance(1000)
    assert simulation.collect().spikes.neuron.max() == 1
    # Alone, a leaky neuron stays where it rests.
    assert simulation.state().variables["lif_current_2/v"].tolist() == [-70.0] * 3


def test_cells_that_all_list_such_a_receptor_share_a_block():
    data = region_data(TONIC)
    data["cells"]["without"]["receptors"] = ["current", "tonic"]
    (block,) = layout_of(Region.parse(data)).blocks
    assert (block.size, list(block.receptors)) == (5, ["current", "tonic"])


def test_receptors_of_different_cells_may_use_the_same_names():
    data = region_data(TONIC)
    equations = "dI/dt = -I/tau_s : amp\ntau_s : second"
    data["receptors"] = {
        name: {"equations": equations, "jump": "I", "current": "I", "parameters": {"tau_s": tau}}
        for name, tau in {"fast": "2 ms", "slow": "20 ms"}.items()
    }
    data["cells"]["with"]["receptors"], data["cells"]["without"]["receptors"] = ["fast"], ["current", "slow"]
    data["cells"]["third"] = {"model": "lif_current", "receptors": ["current"]}
    data["populations"]["c"] = {"cell": "third", "size": 1}
    network = build_region(Region.parse(data))
    assert [[inlet.receptor for inlet in block.inlets] for block in network.blocks] == [
        ["current", "fast"],
        ["current", "slow"],
    ]
    # A current that decays in 2 or 20 ms: exp(-0.1/2), exp(-0.1/20).
    for block, tau in zip(network.blocks, (2, 20), strict=True):
        assert any(np.allclose(values, np.exp(-0.1 / tau), rtol=1e-12) for values in block.constants.values())


def test_what_is_injected_must_be_listed_where_it_acts_by_itself():
    data = region_data(TONIC.replace("tonic.", "current.").replace("receptors.tonic", "receptors.current"))
    data["cells"]["with"]["receptors"] = ["current"]
    data["drives"] = [{"population": "b", "receptor": "current", "current": "10 pA"}]
    with pytest.raises(SpecError, match=r"receptors.current: .* injected into cells.without, which does not list it"):
        layout_of(Region.parse(data))
    data["cells"]["without"]["receptors"] = ["current"]
    assert [block.size for block in layout_of(Region.parse(data)).blocks] == [5]


def with_own_adex(name, threshold):
    data = region_data(CORTEX) | {"name": name}
    data["models"] = {"adex": ADEX.model_copy(update={"threshold": threshold}).to_dict()}
    return Region.parse(data)


def test_models_of_one_name_that_differ_have_blocks_of_different_names():
    regions = [two_population_region(), *(with_own_adex(f"test/{i}", f"v > V_peak + {i}*mV") for i in (1, 2, 3))]
    names = [block.name for block in layout_of(*regions).blocks]
    assert sorted(names) == ["adex", "adex_2", "adex_3", "adex_4", "lif_conductance"]


def test_equal_models_of_different_regions_share_a_block():
    layout = layout_of(with_own_adex("test/1", "v > V_peak + 1*mV"), with_own_adex("test/2", "v > V_peak + 1*mV"))
    assert sorted(block.name for block in layout.blocks) == ["adex", "lif_conductance"]


def test_unknown_models_and_receptors_are_all_reported():
    data = region_data(CORTEX)
    data["cells"]["pyr"]["model"] = "adx"
    data["cells"]["pv"]["receptors"] = ["ampa", "gaba_a", "gabba"]
    with pytest.raises(SpecError) as caught:
        layout_of(Region.parse(data), relay_region())
    assert [str(problem).partition(";")[0] for problem in caught.value.problems] == [
        "region test/cortex: cells.pv: unknown receptor 'gabba'",
        "region test/cortex: cells.pyr: unknown neuron model 'adx'",
    ]


def with_own_ampa(name, receptor, model="adex"):
    data = region_data(CORTEX) | {"name": name, "receptors": {"ampa": receptor.to_dict()}}
    data["cells"]["pyr"] = {"model": model, "receptors": ["ampa", "nmda", "gaba_a", "gaba_b"]}
    return Region.parse(data)


def test_a_receptor_must_mean_the_same_throughout_a_block():
    other = RECEPTOR_MODELS["ampa"].model_copy(update={"parameters": {"E_ampa": "5 mV", "tau_ampa": "2 ms"}})
    with pytest.raises(
        SpecError, match=r"region test/other: receptors\.ampa: another region defines this receptor otherwise"
    ):
        layout_of(two_population_region(), with_own_ampa("test/other", other))


def test_a_receptor_must_have_one_unit_throughout_a_brain():
    data = region_data(RELAY)
    current = RECEPTOR_MODELS["exponential_current"].to_dict()
    data["receptors"] = {"ampa": current}
    data["cells"] = {"local": {"model": "lif_current", "receptors": ["ampa"]}}
    data["populations"] = {"local": {"cell": "local", "size": 3}}
    del data["projections"], data["drives"], data["ports"]
    layout = layout_of(two_population_region(), Region.parse(data))
    with pytest.raises(
        SpecError, match="receptor 'ampa': expected weights of one unit, found nS and pA in different regions"
    ):
        weight_units(block_programs(layout))


def test_a_node_without_a_region_is_refused():
    connectome = Connectome([[0.0] * 2] * 2, [[0.0] * 2] * 2, ["a", "b"])
    brain = Brain(connectome=connectome, regions={"a": two_population_region()})
    with pytest.raises(SpecError, match="regions without a model: b"):
        lay_out(brain, connectome)
