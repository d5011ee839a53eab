"""Every kind of input: the same in every engine, and what theory says of it."""

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import RELAY, build_region, region_data
from twinbrain.engines.base import get_engine
from twinbrain.engines.conformance import CHECKS, check_spikes_and_samples
from twinbrain.engines.reference import prepare as reference
from twinbrain.spec.record import Record, StateRecord

# Brian2's compiled code of neurons is compared in test_library; inputs are the same for both.
ENGINES = (pytest.param("brian2", marks=pytest.mark.slow), "brian2-numpy", "torch")
DT = 0.1


def with_every_input():
    """Return a region of two blocks with each kind of drive, heterogeneous ones, and stimuli that begin and end."""
    data = region_data(RELAY)
    data["cells"]["local"]["receptors"].append("ou_current")
    data["cells"]["local"]["parameters"] |= {
        "mean_ou_current": {"normal": ["80 pA", "20 pA"]},
        "sigma_ou_current": {"lognormal": ["60 pA", 0.3]},
        "tau_ou_current": {"uniform": ["3 ms", "8 ms"]},
    }
    data["drives"] += [
        {"population": "local", "noise": 1},
        {"population": "relay", "noise": "40 pA"},
        {"population": "relay", "sine": {"amplitude": "60 pA", "frequency": "40 Hz", "offset": "30 pA"}},
    ]
    on = {"start": "7.3 ms", "duration": "21.1 ms"}
    trains = [[n / 4, n / 4 + 7.7] for n in range(20)]
    currents = 30 * np.random.default_rng(1).normal(size=(8, 50))
    stimuli = [
        {"name": "step", "population": "local", "current": "120 pA"} | on,
        {
            "name": "pulses",
            "population": "relay",
            "pulses": {"amplitude": "300 pA", "width": "1 ms", "period": "5.55 ms", "delay": "1.25 ms"},
        }
        | on,
        {
            "name": "trains",
            "population": "relay",
            "receptor": "ampa",
            "spikes": {"times": trains, "unit": "ms", "weight": "9 nS"},
        }
        | on,
        {"name": "given", "population": "local", "waveform": {"values": currents, "unit": "pA", "interval": "0.37 ms"}}
        | on,
    ]
    record = Record(state=(StateRecord(variable="v", neurons=8, interval="0.3 ms"),))
    stimuli = tuple(tb.Stimulus.parse(stimulus) for stimulus in stimuli)
    return build_region(tb.Region.parse(data), stimuli=stimuli, record=record)


@pytest.fixture(scope="module")
def network():
    return with_every_input()


def test_the_example_has_every_kind_of_input(network):
    assert sorted(drive.offset > 0 for drive in network.drives) == [False, False, True, True]
    assert len(network.waveforms) == 4
    assert len(network.events) == 40
    assert {inlet.receptor for block in network.blocks for inlet in block.inlets} > {"current", "ou_current"}


@pytest.mark.parametrize("engine", ENGINES)
def test_spikes_and_samples_are_the_same_with_every_kind_of_input(engine, network):
    check_spikes_and_samples(get_engine(engine), network, 400)


@pytest.mark.parametrize("check", [check for check in CHECKS if check is not check_spikes_and_samples])
@pytest.mark.parametrize("engine", ENGINES)
def test_engine_passes_the_check_with_every_kind_of_input(engine, check, network):
    check(get_engine(engine), network, 400)


def one_population(size, *drives, model="lif_current", receptors=(), parameters=None, models=None):
    return tb.Region.parse(
        {
            "name": "test/one",
            "models": models or {},
            "cells": {"c": {"model": model, "receptors": list(receptors), "parameters": parameters or {}}},
            "populations": {"p": {"cell": "c", "size": size}},
            "drives": [{"population": "p"} | drive for drive in drives],
        }
    )


def course(region, variable, n_steps):
    """Return a state variable at the end of each step, shape (step, neuron), and the number of spikes."""
    size = region.n_neurons
    record = Record(state=(StateRecord(variable=variable, neurons=size, interval=f"{DT} ms"),))
    simulation = reference(build_region(region, record=record))
    simulation.advance(n_steps)
    recording = simulation.collect()
    (samples,) = recording.samples.values()
    return samples, len(recording.spikes)


# A membrane of 10 ms and 25 nS, integrated exactly, that never spikes.
SILENT = {"C_m": "250 pF", "g_L": "25 nS", "E_L": "-70 mV", "V_th": "1 V"}
E_L, G_L, TAU = -70.0, 25.0, 10.0


def test_a_membrane_follows_a_constant_current_as_the_theory_says():
    v, _ = course(one_population(1, {"current": "200 pA"}, parameters=SILENT), "v", 600)
    t = DT * np.arange(1, 601)
    np.testing.assert_allclose(v[:, 0] - E_L, 200 / G_L * (1 - np.exp(-t / TAU)), rtol=1e-4)


def test_an_injected_current_is_what_the_neurons_own_parameter_would_be():
    injected = course(one_population(1, {"current": "512 pA"}), "v", 900)
    own = course(one_population(1, parameters={"I_e": "512 pA"}), "v", 900)
    assert injected[1] == own[1] > 2
    np.testing.assert_allclose(injected[0], own[0], rtol=1e-12)


@pytest.mark.parametrize("frequency", [4.0, 40.0])
def test_a_membrane_filters_a_sine_as_the_theory_says(frequency):
    given = {"amplitude": "100 pA", "frequency": f"{frequency} Hz", "phase": "20 deg"}
    v, _ = course(one_population(1, {"sine": given}, parameters=SILENT), "v", 6000)
    v, t = v[1000:, 0], DT * np.arange(1001, 6001)
    omega = 2 * np.pi * frequency * 1e-3
    basis = np.stack([np.sin(omega * t), np.cos(omega * t), np.ones_like(t)], axis=1)
    (in_phase, quadrature, mean), *_ = np.linalg.lstsq(basis, v, rcond=None)
    # The current is held for a step: in the mean, it comes half a step late.
    expected = 100 / G_L / (1 + 1j * omega * TAU) * np.exp(1j * (np.deg2rad(20) - omega * DT / 2))
    assert abs(in_phase + 1j * quadrature - expected) < 3e-4 * abs(expected)
    assert mean == pytest.approx(E_L, abs=2e-3)


# A membrane that adds up its current: v changes by I*dt/C in a step, so it shows the current itself.
ELECTROMETER = {
    "equations": "dv/dt = I_syn/C_m : volt\nC_m : farad",
    "threshold": "v > 1000*volt",
    "reset": "v = 0*volt",
    "parameters": {"C_m": "1 pF"},
}


def currents(n_steps, size, *drives, **options):
    region = one_population(size, *drives, model="meter", models={"meter": ELECTROMETER}, **options)
    v, _ = course(region, "v", n_steps)
    return np.diff(v, axis=0, prepend=0) / DT


def test_noise_is_white_normal_and_independent():
    found = currents(2000, 50, {"noise": "30 pA"})
    n = found.size
    assert found.mean() == pytest.approx(0, abs=5 * 30 / np.sqrt(n))
    assert found.std() == pytest.approx(30, rel=5 / np.sqrt(2 * n))
    assert np.mean((found / 30) ** 4) == pytest.approx(3, abs=5 * np.sqrt(96 / n))
    for lag in (1, 2, 4):
        assert abs(np.mean(found[lag:] * found[:-lag])) / 900 < 5 / np.sqrt(n)
    assert abs(np.mean(found[:, 1:] * found[:, :-1])) / 900 < 5 / np.sqrt(n)


def test_an_ou_current_has_the_mean_spread_and_correlation_of_each_neuron():
    n_neurons, n_steps = 200, 6000
    parameters = {
        "mean_ou_current": {"uniform": ["-100 pA", "300 pA"]},
        "sigma_ou_current": {"uniform": ["20 pA", "200 pA"]},
        "tau_ou_current": {"uniform": ["2 ms", "10 ms"]},
    }
    region = one_population(
        n_neurons,
        {"noise": 1},
        model="meter",
        models={"meter": ELECTROMETER},
        receptors=["ou_current"],
        parameters=parameters,
    )
    v, _ = course(region, "v", n_steps)
    found = np.diff(v, axis=0)[500:] / DT
    (block,) = build_region(region).blocks
    a = block.constants[next(k for k, text in block.program.constants.items() if text == "exp(-dt/tau_ou_current)")]
    of_mean = next(k for k, text in block.program.constants.items() if text == "dt*mean_ou_current/C_m")
    of_sigma = next(k for k, text in block.program.constants.items() if text == "dt*sigma_ou_current/C_m")
    mean, sigma = block.constants[of_mean] / DT, block.constants[of_sigma] / DT
    assert np.ptp(a) > 0.02
    z = (found - mean) / sigma
    # Numbers correlated over tau are worth 1/(1 + 2 tau) of independent ones, their squares 1/(1 + tau); tau in steps.
    steps = -1 / np.log(a)
    worth, worth_of_squares = len(z) / (1 + 2 * steps), len(z) / (1 + steps)
    assert np.abs(z.mean(axis=0) * np.sqrt(worth)).max() < 4.5
    assert z.mean() == pytest.approx(0, abs=4 / np.sqrt(worth.sum()))
    assert np.mean(z**2) == pytest.approx(1, abs=4 * np.sqrt(2 / worth_of_squares.sum()))
    assert np.abs((np.mean(z**2, axis=0) - 1) * np.sqrt(worth_of_squares / 2)).max() < 5.5
    for lag in (1, 20, 50, 150):
        correlation = np.mean(z[lag:] * z[:-lag], axis=0)
        assert np.mean(correlation - a**lag) == pytest.approx(0, abs=4 * np.sqrt(2 / worth_of_squares.sum()))
    corner = np.corrcoef(z[:, ::8].T) - np.eye(25)
    assert np.abs(corner).max() < 6 / np.sqrt(worth.min())


def test_an_ou_current_without_noise_is_its_mean():
    parameters = {"mean_ou_current": "70 pA"}
    found = currents(20, 2, {"current": "0 pA"}, receptors=["ou_current"], parameters=parameters)
    np.testing.assert_allclose(found, 70, rtol=1e-12)


def test_the_spread_of_an_ou_current_does_not_depend_on_the_time_step():
    for dt in (0.1, 1.0):
        region = one_population(
            200, {"noise": 1}, receptors=["ou_current"], parameters={"tau_ou_current": "2 ms"} | SILENT
        )
        network = build_region(region, dt=dt)
        simulation = reference(network)
        simulation.advance(round(10 / dt))
        y = []
        for _ in range(20):
            simulation.advance(round(8 / dt))
            y.append(simulation.state().variables["lif_current/y_ou_current"])
        assert np.var(y) == pytest.approx(1, abs=4 * np.sqrt(2 / np.size(y)))


def test_given_spikes_act_as_spikes_do():
    region = one_population(
        2,
        {"receptor": "exponential_current", "spikes": {"times": [[3, 9], [5]], "unit": "ms", "weight": "50 pA"}},
        receptors=["exponential_current"],
        parameters=SILENT,
    )
    found, _ = course(region, "I_exponential_current", 200)
    t = DT * np.arange(1, 201)
    since = [np.where(t > s, np.exp(-(t - s) / 2), 0) for s in (3, 9, 5)]
    np.testing.assert_allclose(found, 50 * np.stack([since[0] + since[1], since[2]], axis=1), rtol=1e-4)
