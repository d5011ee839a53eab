"""Plastic synapses are drawn and sorted like static ones, and what is wrong with them is said."""

import numpy as np
import pytest

from tests.examples import build_region, fingerprint, region_data
from twinbrain.engines.interpreter import execute
from twinbrain.errors import SpecError
from twinbrain.network.build import block_programs
from twinbrain.network.layout import lay_out
from twinbrain.network.plan import plan
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.region import Region

REGION = """
name = "test/plastic"

[cells.cell]
model = "lif_conductance"
receptors = ["ampa", "nmda", "gaba_a"]

[populations]
exc = { cell = "cell", size = 40 }
inh = { cell = "cell", size = 10, transmitter = "gaba" }
reward = { cell = "cell", size = 2 }

[[projections]]
source = "exc"
target = "inh"
receptor = "ampa"
connect = { probability = 0.4 }
weight = { lognormal = ["1 nS", 0.5] }
delay = { uniform = ["0.1 ms", "5 ms"] }
"""
PAIR = {"model": "pair_stdp", "parameters": {"w_max": "8 nS"}}


def data(plasticity=PAIR, **changes):
    found = region_data(REGION)
    found["projections"][0] |= {"plasticity": plasticity} | changes
    return found


def build(plasticity=PAIR, **changes):
    return build_region(Region.parse(data(plasticity, **changes)))


def test_a_plastic_projection_has_the_synapses_of_the_static_one():
    found = data()
    del found["projections"][0]["plasticity"]
    (static,), (plastic,) = build_region(Region.parse(found)).tables, build().plastic
    np.testing.assert_array_equal(plastic.row_start, static.row_start)
    np.testing.assert_array_equal(plastic.post, static.post)
    np.testing.assert_array_equal(plastic.delay, static.delay)
    np.testing.assert_allclose(plastic.initial["w"], static.weight * 4 * plastic.quantum, rtol=2e-3)
    assert build().tables == ()


def test_rows_are_sorted_by_source_and_delay_and_columns_by_target():
    (table,) = build().plastic
    assert (np.diff(table.source) >= 0).all()
    for first, last in zip(table.row_start[:-1], table.row_start[1:], strict=True):
        assert (np.diff(table.delay[first:last].astype(int)) >= 0).all()
    assert sorted(table.column) == list(range(table.n_synapses))
    assert (np.diff(table.target[table.column]) >= 0).all()
    assert set(table.target) <= set(range(40, 50))


def test_one_table_a_receptor_and_rule_however_many_projections():
    found = data()
    found["projections"].append(found["projections"][0] | {"source": "inh", "receptor": "gaba_a"})
    found["projections"].append(found["projections"][0] | {"source": "reward", "target": "exc"})
    found["projections"].append(found["projections"][0] | {"target": "reward", "plasticity": "tsodyks_markram"})
    tables = build_region(Region.parse(found)).plastic
    assert [table.name for table in tables] == ["ampa_pair_stdp", "ampa_tsodyks_markram", "gaba_a_pair_stdp"]


def test_a_constant_that_synapses_share_is_kept_once():
    (table,) = build().plastic
    assert {values.shape for values in table.constants.values()} == {(1,)}
    varied = {"w_max": "8 nS", "tau_plus": {"normal": ["20 ms", "2 ms"]}}
    (table,) = build({"model": "pair_stdp", "parameters": varied}).plastic
    shapes = {name: values.shape for name, values in table.constants.items()}
    of_tau = {name for name, text in table.program.constants.items() if "tau_plus" in text}
    assert {name for name, shape in shapes.items() if shape == (table.n_synapses,)} == of_tau


def test_parameters_are_distributed_over_synapses_whatever_the_order_of_building():
    varied = {"model": "pair_stdp", "parameters": {"w_max": {"lognormal": ["8 nS", 0.1]}}}
    (table,) = build(varied).plastic
    highest = table.constants["w_max"]
    assert np.median(highest) == pytest.approx(8, rel=0.05)
    assert len(set(highest)) == table.n_synapses
    assert fingerprint(build(varied)) == fingerprint(build(varied))


def test_several_receptors_have_synapses_of_their_own_scaled_alike():
    ampa, nmda = build(receptor={"ampa": 1.0, "nmda": 0.25}).plastic
    np.testing.assert_array_equal(ampa.source, nmda.source)
    np.testing.assert_allclose(nmda.initial["w"], 0.25 * ampa.initial["w"])
    assert nmda.constants["w_max"] == 0.25 * ampa.constants["w_max"] == 2.0


@pytest.mark.parametrize(
    "rule",
    [
        {"equations": "dw/dt = grow/tau : weight\ngrow : weight\ntau : second"},
        {"equations": "dw/dt = grow : weight\ngrow : weight/second"},
        {"equations": "dw/dt = grow : weight\ngrow : siemens/second"},
        {"equations": "dw/dt = 1/(hard*tau) : weight\nhard : 1/weight\ntau : second"},
        {"equations": "dw/dt = 1*nS/(10*ms) : weight"},
        {
            "equations": "drunning/dt = 1/tau : 1\ntau : second",
            "on_pre": "release = w; w = clip(w + 9*nS, 0*weight, 3*nS)",
        },
        {"equations": "dw/dt = grow/tau : weight\ngrow : weight\ntau : second", "method": "euler"},
    ],
)
def test_all_that_a_rule_has_in_the_unit_of_weights_is_scaled_with_them(rule):
    values = {"grow": "1 nS" if "grow/tau" in rule["equations"] else "0.1 nS/ms", "tau": "10 ms", "hard": "1/nS"}
    rule = {"on_pre": "release = w", **rule}
    rule["parameters"] = {name: value for name, value in values.items() if f"\n{name} :" in rule["equations"]}
    found = data("own", receptor={"ampa": 1.0, "nmda": 0.1}, weight="2 nS")
    network = build_region(Region.parse(found | {"plasticity": {"own": rule}}))
    ends = {}
    for table in network.plastic:
        names = {**table.constants, **table.initial, "elapsed": 10.0, "dt": 0.1}
        execute(table.program.advance + table.program.on_pre, names)
        ends[table.receptor] = np.broadcast_to(names["w"], len(table.source))
    assert (ends["ampa"] > 2.005).all()
    np.testing.assert_allclose(ends["nmda"], 0.1 * ends["ampa"], rtol=1e-12)


def test_modulating_populations_are_known_by_their_neurons():
    plasticity = {"model": "reward_stdp", "parameters": {"w_max": "8 nS"}, "modulator": "reward"}
    (table,) = build(plasticity).plastic
    modulation = table.modulation
    assert (modulation.start.tolist(), modulation.stop.tolist()) == ([50], [52])
    assert sorted(modulation.synapse) == list(range(table.n_synapses))


def test_weights_may_begin_at_zero():
    (table,) = build(weight="0 nS").plastic
    assert table.quantum < 1e-3
    assert not table.initial["w"].any()


def test_no_release_can_make_an_inbox_overflow():
    (table,) = build().plastic
    most = table.limit * np.bincount(table.post).max()
    assert most < 2**31
    assert table.limit * table.quantum > 8


def test_weights_that_could_overflow_an_inbox_are_refused():
    with pytest.raises(SpecError, match=r"expected weights and w_max up to .* found 1e\+06"):
        build({"model": "pair_stdp", "parameters": {"w_max": "1 mS"}})


def test_projections_without_synapses_leave_no_table():
    network = build(connect={"total": 0})
    assert network.plastic == ()
    assert network.max_delay == 1


def test_the_plan_knows_the_memory_of_plastic_synapses():
    found = data()
    found["populations"]["exc"]["size"] = found["populations"]["inh"]["size"] = 300
    found["projections"][0]["weight"]["max"] = "8 nS"
    region = Region.parse(found)
    network = build_region(region)
    (table,) = network.plastic
    brain = single_region_brain(region)
    layout = lay_out(brain, brain.connectome)
    planned = plan(brain, layout, block_programs(layout), dt=0.1, duration=1000.0)
    assert planned.n_synapses == pytest.approx(network.n_synapses, rel=0.03)
    in_the_engine = 8 * len(table.program.state) * table.n_synapses
    assert planned.bytes_synapses == pytest.approx(table.nbytes + in_the_engine, rel=0.2)


@pytest.mark.parametrize(
    ("plasticity", "message"),
    [
        (
            "pair_stpd",
            r"projections\[0\]: plasticity.model: unknown plasticity rule 'pair_stpd'; did you mean 'pair_stdp'",
        ),
        ("pair_stdp", "plasticity: parameters.w_max: expected a value in nS, found none"),
        ({"model": "pair_stdp", "parameters": {"w_max": "8 pA"}}, "w_max: expected a quantity in nS, found '8.*pA'"),
        ({"model": "pair_stdp", "parameters": {"w_max": "8 nS", "tau": "1 ms"}}, "parameters.tau: unknown parameter"),
        ({"model": "pair_stdp", "parameters": {"w_max": "8 nS", "tau_plus": "-1 ms"}}, "expected tau_plus > 0, found"),
        ({"model": "tsodyks_markram", "initial": {"y": 1.0}}, "initial.y: unknown state variable 'y'"),
        ({"model": "tsodyks_markram", "initial": {"w": "1 nS"}}, "expected no initial 'w'"),
        ({"model": "tsodyks_markram", "parameters": {"tau_rec": "0 ms"}}, "expected tau_rec > 0, found"),
        ({"model": "reward_stdp", "parameters": {"w_max": "8 nS"}}, "modulator: expected a modulating population"),
        ({**PAIR, "modulator": "reward"}, "modulator: expected none, since rule 'pair_stdp'"),
        ({**PAIR, "modulator": "vta"}, r"projections\[0\].plasticity.modulator: unknown population 'vta'"),
        ({**PAIR, "rate": 1}, r"projections\[0\].plasticity.rate: unknown key 'rate'"),
    ],
)
def test_a_plastic_projection_that_cannot_be_built_is_refused(plasticity, message):
    with pytest.raises(SpecError, match=message):
        build(plasticity)


def test_a_plastic_projection_needs_a_receptor_of_its_target():
    with pytest.raises(SpecError, match="unknown receptor of population 'inh' 'ampaa'"):
        build(receptor="ampaa")


def test_a_region_s_own_rule_comes_before_the_library_s():
    found = data("pair_stdp")
    found["plasticity"] = {"pair_stdp": {"on_pre": "release = 2*w"}}
    (table,) = build_region(Region.parse(found)).plastic
    assert table.program.state == ("w",)


def test_every_problem_of_the_rules_is_reported_at_once():
    found = data("nothing")
    found["projections"].append(found["projections"][0] | {"source": "inh", "plasticity": "pair_stdp"})
    with pytest.raises(SpecError) as caught:
        build_region(Region.parse(found))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("apart", [0.0, 1e-8, 1e-6, 1e-4, 0.01])
@pytest.mark.parametrize(("used", "nearest"), [("y*y*weight", 2e-3), ("y*weight - w", 2e-6), ("x*weight - w", 0.0)])
def test_decays_so_near_each_other_that_a_solution_would_cancel_are_refused(apart, used, nearest):
    """What x drives is computed without a difference; what that drives is not."""
    driven = f"dy/dt = (x - y)/tb : 1\ndw/dt = ({used})/tc : weight"
    equations = f"dx/dt = -x/ta : 1\n{driven}\nta : second\ntb : second\ntc : second"
    plasticity = {"model": "mine", "parameters": {"ta": "20 ms", "tb": f"{20 * (1 + apart)!r} ms", "tc": "9 ms"}}
    region = Region.parse(
        data(plasticity) | {"plasticity": {"mine": {"equations": equations, "on_pre": "release = w"}}}
    )
    if apart >= nearest:
        build_region(region)
        return
    with pytest.raises(SpecError, match=r"parameters\.ta, tb: expected decays that are not so near each other"):
        build_region(region)


def of_two_receptors(on_pre):
    rule = {"equations": "step : siemens\nn : 1", "on_pre": f"release = w; n += 1; {on_pre}"}
    used = {"model": "own", "parameters": {"step": "1 nS"}}
    return Region.parse(data(used, weight="1 nS", receptor={"ampa": 1.0, "nmda": 0.1}) | {"plasticity": {"own": rule}})


def test_a_factor_scales_what_is_in_the_unit_of_weights():
    ampa, nmda = build_region(of_two_receptors("w += step")).plastic
    (name,) = (name for name, text in ampa.program.constants.items() if text == "step")
    assert (ampa.constants[name], nmda.constants[name]) == (1.0, 0.1)


def test_a_rule_that_cannot_be_scaled_is_refused_with_a_factor():
    message = r"projections\[0\]: receptor: expected a factor of 1 with rule 'own', found 0\.1: .*'w \+ 1 \* pA / mV'"
    with pytest.raises(SpecError, match=message):
        build_region(of_two_receptors("w += 1*pA/mV"))
