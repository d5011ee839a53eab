import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import CORTEX, build_brain, region_data, small_brain
from twinbrain.errors import SpecError
from twinbrain.network.build import block_programs
from twinbrain.network.layout import lay_out
from twinbrain.network.quanta import LARGEST, common_power, in_quanta, receptor_quanta, weight_units
from twinbrain.network.random import stream_key
from twinbrain.network.sampling import mean_size, sample
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.region import Region

UNITS = {"ampa": "nS", "nmda": "nS", "gaba_a": "nS", "gaba_b": "nS"}
SIZES = st.floats(0.1, 30).map(lambda x: f"{x:.6g} nS")
WEIGHTS = st.one_of(
    SIZES,
    st.tuples(SIZES, st.floats(0.05, 1.0)).map(lambda pair: {"lognormal": list(pair)}),
    st.tuples(SIZES, SIZES).map(lambda pair: {"normal": list(pair)}),
    st.tuples(SIZES, st.floats(0.5, 5)).map(lambda pair: {"gamma": list(pair)}),
)


def region_with(weights, factors=(1.0, 0.2)):
    data = region_data(CORTEX)
    for projection, weight in zip(data["projections"], weights, strict=True):
        projection["weight"] = weight
    data["projections"][0]["receptor"] = {"ampa": factors[0], "nmda": factors[1]}
    return Region.parse(data)


def quanta(region):
    brain = single_region_brain(region)
    return receptor_quanta(brain, lay_out(brain, brain.connectome), (), UNITS)


@settings(max_examples=20)
@given(st.lists(WEIGHTS, min_size=4, max_size=4), st.floats(0.01, 2))
def test_rounding_costs_less_than_a_ten_thousandth_of_every_mean_weight(weights, factor):
    region = region_with(weights, (1.0, factor))
    found = quanta(region)
    for projection in region.projections:
        for receptor, share in projection.receptor.items():
            quantum = found[receptor]
            assert np.log2(quantum) == np.round(np.log2(quantum))
            drawn = sample(projection.weight, "nS", 500, stream_key(1, projection.key)) * share
            mean = mean_size(projection.weight, "nS") * abs(share)
            error = in_quanta(drawn, quantum, "weight") * quantum - drawn
            assert np.abs(error).max() <= 1e-4 * mean


def test_a_quantum_follows_the_smallest_weight_that_reaches_its_receptor():
    found = quanta(region_with(["8 nS", "1 nS", "4 nS", "4 nS"], (1.0, 0.25)))
    # The largest power of two of which half is at most 1e-4 of the smallest mean, over projections and drives.
    smallest = {"ampa": 1.0, "nmda": 2.0, "gaba_a": 4.0, "gaba_b": 0.2}
    assert found == {receptor: 2.0 ** np.floor(np.log2(2e-4 * weight)) for receptor, weight in smallest.items()}


@given(st.lists(st.integers(-(2**20), 2**20), min_size=1, max_size=20), st.integers(-30, 5))
def test_the_common_power_of_two_is_the_largest_of_which_all_are_multiples(numbers, power):
    values = np.array(numbers) * 2.0**power
    found = common_power(values)
    if not values.any():
        assert found == np.inf
    else:
        assert (values / found == np.rint(values / found)).all()
        assert not (values / (2 * found) == np.rint(values / (2 * found))).all()


def explicit(values, n=32):
    weights = ["5 nS", Explicit(np.resize(values, n), "nS"), "4 nS", "4 nS"]
    region = region_with(weights)
    pairs = {"pairs": {"source": [0] * n, "target": [0] * n}}
    data = region.to_dict()
    data["projections"][1] |= {"connect": pairs, "weight": weights[1]}
    data["drives"] = []
    return quanta(Region.parse(data))["ampa"]


def test_explicit_weights_in_whole_quanta_keep_them():
    default = explicit([1.1, 0.9])
    assert explicit(np.array([4097, 6001, 5000]) * default / 16) == default / 16
    # Numbers with all their digits would ask for a quantum that leaves no range; a coarse one is no reason to round.
    assert explicit(np.random.default_rng(0).uniform(0.9, 1.1, 32)) == default
    assert explicit([1.0, 1.5, 0.5]) == default


def declared(power, values, drives=(), plasticity=None):
    data = region_with(["5 nS", "1 nS", "4 nS", "4 nS"]).to_dict() | {"drives": list(drives), "quanta": {"ampa": power}}
    data["projections"] = data["projections"][:2]
    for projection in data["projections"]:
        pairs = {"source": [0] * len(values), "target": [0] * len(values)}
        projection |= {"receptor": "ampa", "connect": {"pairs": pairs}, "weight": {"values": values, "unit": "nS"}}
    if plasticity:
        data["projections"][0]["plasticity"] = plasticity
    return quanta(Region.parse(data))["ampa"]


def test_weights_that_are_whole_in_the_quantum_of_their_region_are_counted_in_it_whatever_their_size():
    for power, values in ((-2, [1e6, 2.5]), (-2, [0.25, 0.0, 0.0]), (-40, [1.0, 2.0]), (3, [0.0, 0.0])):
        assert declared(power, values) == 2.0**power
    # What is not whole, is drawn, changes, or comes from a drive, is rounded as little as elsewhere.
    assert declared(-2, [0.1, 0.3]) == 2.0 ** np.floor(np.log2(2e-4 * 0.2))
    drive = {"population": "pyr", "receptor": "ampa", "rate": "1 kHz", "weight": "0.3 nS"}
    assert declared(-2, [1.0, 2.0], [drive]) == 2.0 ** np.floor(np.log2(2e-4 * 0.3))
    assert declared(-2, [1.0, 2.0], plasticity={"model": "pair_stdp"}) <= 2e-4 * 1.5 / 4


def test_a_quantum_of_a_receptor_that_is_not_there_is_refused():
    data = region_data(CORTEX) | {"quanta": {"ampx": -3}}
    with pytest.raises(SpecError, match=r"quanta\.ampx: unknown receptor 'ampx'"):
        Region.parse(data)


def test_weights_of_zero_do_not_count():
    assert quanta(region_with(["0 nS", "1 nS", "4 nS", "4 nS"])) == quanta(
        region_with(["5 nS", "1 nS", "4 nS", "4 nS"])
    ) | {"nmda": 2.0 ** np.floor(np.log2(2e-4))}


def test_all_weights_of_a_wrong_unit_are_reported():
    data = region_data(CORTEX)
    data["projections"][1]["weight"] = "1 pA"
    data["projections"][3]["weight"] = 3
    data["drives"][0]["weight"] = "1 mV"
    with pytest.raises(SpecError) as caught:
        quanta(Region.parse(data))
    expected = [
        "projections[1].weight: expected a quantity in nS, found '1 pA', which is of another dimension",
        'projections[3].weight: expected a quantity in nS, found 3.0 without a unit; write "3.0 nS"',
        "drives[0].weight: expected a quantity in nS, found '1 mV', which is of another dimension",
    ]
    assert [str(problem) for problem in caught.value.problems] == [f"region test/cortex: {text}" for text in expected]


def test_the_weight_of_the_long_range_rule_must_have_the_unit_of_the_receptor():
    brain = small_brain(3)
    rule = brain.long_range.model_copy(update={"inhibitory_weight": "3 pA"})
    with pytest.raises(
        SpecError, match=r"brain\.long_range\.inhibitory_weight: expected a quantity in nS, found '3 pA'"
    ):
        build_brain(brain.model_copy(update={"long_range": rule}))


@given(st.floats(-1e9, 1e9), st.integers(-20, 4))
def test_a_weight_is_the_nearest_multiple_of_the_quantum(weight, power):
    quantum = 2.0**power
    if abs(weight / quantum) > LARGEST:
        with pytest.raises(SpecError, match="beyond the integer range"):
            in_quanta(np.array([weight]), quantum, "weight")
    else:
        (found,) = in_quanta(np.array([weight]), quantum, "weight")
        assert abs(found * quantum - weight) <= quantum / 2


def test_weights_that_are_too_unequal_are_refused_with_their_place():
    region = region_with(["1 nS", "1 nS", "1 nS", "1e9 nS"])
    with pytest.raises(
        SpecError, match=r"^region test/cortex: projections\[3\]: weight: expected weights up to .* less unequal"
    ):
        build_brain(single_region_brain(region))


@pytest.mark.parametrize("weight", ["1e-310 nS", "1e300 nS"])
def test_weights_that_have_no_quantum_are_refused_with_their_place(weight):
    region = region_with(["1 nS", weight, "1 nS", "1 nS"])
    with pytest.raises(SpecError, match=r"projections\[1\]\.weight: expected weights whose mean size lies between "):
        quanta(region)


def test_one_receptor_has_one_unit():
    brain = small_brain(3)
    programs = block_programs(lay_out(brain, brain.connectome))
    assert weight_units(programs) == UNITS | {"exponential_current": "pA"}


@pytest.mark.parametrize("step", [3e-5, -1e-3])
def test_what_a_rule_adds_to_weights_that_begin_at_zero_is_rounded_by_less_than_a_hundredth(step):
    rule = {"equations": "eta : weight\nrate : weight/second", "on_pre": "release = w; w = w + eta + 0*rate*second"}
    data = region_data(CORTEX)
    parameters = {"eta": f"{step} nS", "rate": "1 nS/s"}
    data |= {"plasticity": {"mine": rule}, "drives": []}
    data["projections"] = [data["projections"][0] | {"receptor": "ampa", "weight": "0 nS"}]
    data["projections"][0]["plasticity"] = {"model": "mine", "parameters": parameters}
    found = quanta(Region.parse(data))["ampa"]
    assert abs(np.rint(step / found) * found / step - 1) < 0.01
    # Weights of what many steps add up to have room.
    assert found * LARGEST > 1e6 * abs(step)
