"""What is written as NIR, and what is refused."""

import nir
import numpy as np
import pytest

import twinbrain as tb
from tests.examples import build_region, relay_region, small_brain, two_population_region
from tests.exchange.models import leaky_data, leaky_region, spikes_of
from twinbrain.spec.region import Region


def problems_of(region, file, **options):
    with pytest.raises(tb.ExchangeError) as caught:
        tb.write_nir(region, file, **options)
    assert list(file.parent.iterdir()) == []
    return str(caught.value).splitlines()


def test_all_that_nir_cannot_express_is_refused_by_name_and_nothing_is_written(file):
    found = problems_of(two_population_region(), file)
    assert (
        "NIR cannot express: region test/cortex: population pyr.model: expected lif_current, found adex"
        in "\n".join(found)
    )
    for part in (
        "population pyr.receptors: expected delta or exponential_current, found ampa, gaba_a, gaba_b, nmda",
        "population pv.model: expected lif_current, found lif_conductance",
        "region test/cortex: population pyr -> population pyr: expected one delay for all synapses of a source neuron",
        "region test/cortex: drive 1 pv:ampa: expected no input from outside, found a Poisson drive; "
        'leave it out with drives="drop" (--drives drop)',
    ):
        assert any(part in line for line in found), part
    assert not any("drive" in line for line in problems_of(two_population_region(), file, drives="drop"))


def test_plastic_synapses_are_refused_by_name(file):
    data = leaky_data("delta")
    data["projections"][0]["plasticity"] = "tsodyks_markram"
    (line,) = problems_of(Region.parse(data), file)
    assert "projection exc->exc:delta" in line
    assert "plastic" in line


@pytest.mark.parametrize(
    ("model", "part"),
    [
        ("izhikevich_2007", "population relay.model: expected lif_current, found izhikevich_2007"),
        ("lif_current", "population local.t_ref: expected no refractory period, found up to 2 ms; set t_ref to 0 ms"),
    ],
)
def test_what_a_leaky_neuron_has_not_is_refused(model, part, file):
    assert any(part in line for line in problems_of(relay_region(), file, drives="drop")), model


def test_a_fault_of_a_region_is_told_once_however_many_nodes_it_stands_at(file):
    found = problems_of(small_brain(5), file)
    assert len(found) == len(set(found))
    assert sum("population pyr.model" in line for line in found) == 1
    assert sum("drive 0 pyr:ampa" in line for line in found) == 1


def test_initial_currents_of_a_neuron_without_them_are_refused(file):
    data = leaky_data("delta")
    data["cells"]["inh"]["receptors"] = ["delta", "exponential_current"]
    data["cells"]["inh"]["initial"]["I_exponential_current"] = "10 pA"
    (found,) = problems_of(Region.parse(data), file)
    assert "population inh.initial" in found
    assert "I_exponential_current" in found


RECEPTORS = {
    # A conductance that is always open: I = g (E - v) flows though nothing arrives.
    "tonic": {
        "equations": """
            I_tonic = g_tonic*(E_tonic - v) + x_tonic : amp
            dx_tonic/dt = -x_tonic/tau_tonic : amp
            g_tonic : siemens
            E_tonic : volt
            tau_tonic : second
        """,
        "jump": "x_tonic",
        "current": "I_tonic",
        "parameters": {"g_tonic": "10 nS", "E_tonic": "0 mV", "tau_tonic": "5 ms"},
    },
    # A variable that goes its own way is no current.
    "counted": {
        "equations": """
            dI_counted/dt = -I_counted/tau_counted : amp
            dn_counted/dt = (1 - n_counted)/tau_counted : 1
            tau_counted : second
        """,
        "jump": "I_counted",
        "current": "I_counted",
        "parameters": {"tau_counted": "5 ms"},
    },
}


def with_receptor(name, **parameters):
    data = leaky_data("delta")
    data["receptors"] = {name: RECEPTORS[name] | {"parameters": RECEPTORS[name]["parameters"] | parameters}}
    data["cells"]["exc"]["receptors"] = ["delta", name]
    return Region.parse(data)


def test_a_receptor_that_gives_a_current_of_itself_is_refused(file):
    (found,) = problems_of(with_receptor("tonic"), file)
    assert "population exc.receptors: expected no current but I_e, found one that tonic gives though nothing" in found


@pytest.mark.parametrize("region", [with_receptor("tonic", g_tonic="0 nS"), with_receptor("counted")])
def test_a_receptor_that_gives_nothing_of_itself_is_left_out(region, file):
    tb.write_nir(region, file)
    np.testing.assert_array_equal(spikes_of(tb.read_nir(file), 1000), spikes_of(build_region(region, seed=0), 1000))


def test_more_dense_weights_than_a_file_should_hold_are_refused(file):
    data = leaky_data()
    data["populations"]["exc"]["size"] = 5001
    data["projections"][0]["connect"] = {"total": 10}
    (found,) = problems_of(Region.parse(data), file)
    assert "expected at most 25,000,000 entries of dense weights, found 25,07" in found
    assert "SONATA" in found


def test_delays_that_differ_by_source_are_kept_each_in_its_channel(file):
    data = leaky_data()
    del data["projections"][1:]
    data["projections"][0] |= {
        "connect": {"one_to_one": True, "autapses": True},
        "delay": {"uniform": ["0.1 ms", "5 ms"]},
    }
    tb.write_nir(Region.parse(data), file)
    built, found = build_region(Region.parse(data), seed=0), tb.read_nir(file)
    assert len(set(built.tables[0].delay)) > 10
    np.testing.assert_array_equal(found.tables[0].delay, built.tables[0].delay)
    # A spike raises v at the end of a step: one step later than a current.
    delays = nir.read(file).nodes["exc_to_exc_delay"].delay
    np.testing.assert_allclose(delays, (built.tables[0].delay + 1) * 1e-4, rtol=1e-12)


def test_a_file_that_stands_is_kept_unless_its_replacement_is_allowed(file):
    tb.write_nir(leaky_region(), file)
    before = file.read_bytes()
    with pytest.raises(tb.ExchangeError, match="expected a path that is free"):
        tb.write_nir(leaky_region(), file, seed=1)
    assert file.read_bytes() == before
    tb.write_nir(leaky_region(), file, seed=1, overwrite=True)
    assert file.read_bytes() != before


def test_refractory_periods_are_refused_or_left_out(tmp_path):
    """Our own leaky region is written without them; what is read is the network without them."""
    region = tb.load_region("learning/leaky")
    with pytest.raises(tb.ExchangeError, match=r"t_ref: expected no refractory period, .*refractory=\"drop\""):
        tb.write_nir(region, tmp_path / "leaky.nir", drives="drop")
    tb.write_nir(region, tmp_path / "leaky.nir", drives="drop", refractory="drop")
    read = tb.read_nir(tmp_path / "leaky.nir")
    assert read.n_neurons == region.n_neurons
    with pytest.raises(tb.ExchangeError, match='expected "refuse" or "drop", found \'keep\''):
        tb.write_nir(region, tmp_path / "other.nir", refractory="keep")
