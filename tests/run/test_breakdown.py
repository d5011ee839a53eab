"""A state that stops being finite is told: where, when, and in every way a model is run."""

import json

import numpy as np
import pytest

import twinbrain as tb
from twinbrain.engines.base import ENGINE_NAMES
from twinbrain.store import run_info

# Euler's steps of this decay grow beyond all bounds from 5 mV on; from 4 mV they do not.
CUBIC = tb.NeuronModel(
    equations="dv/dt = -v**3/(1*mV**2)/ms/stiffness : volt\ndu/dt = -u/(10*ms) : 1\nstiffness : 1",
    threshold="u > 1",
    reset="u = 0",
    method="euler",
    parameters={"stiffness": 1.0},
)


def cubic(start=5.0, name="cubic"):
    """Return five neurons, of which the last but one starts elsewhere than the others."""
    cell = tb.Cell(model="cubic", initial={"v": tb.Explicit(np.array([1.0, 1.0, 1.0, start, 1.0]), "mV")})
    populations = {"calm": tb.Population(cell="calm", size=2), "odd": tb.Population(cell="odd", size=5)}
    cells = {"calm": tb.Cell(model="cubic"), "odd": cell}
    return tb.Region(name=name, models={"cubic": CUBIC}, cells=cells, populations=populations)


def simulate(out, model=None, *, start=5.0, on_breakdown="stop", **options):
    model = model or cubic(start)
    brain = model if isinstance(model, tb.Brain) else as_brain(model)
    settings = {"duration": "8 ms", "window": "2 ms", "engine": "reference", "on_breakdown": on_breakdown}
    workflow = tb.Workflow(name="cubic", run=tb.Run(**settings), brain=brain)
    return tb.simulate(workflow, out=out, **options)


def as_brain(region):
    return tb.Brain(connectome=tb.Connectome([[0.0]], [[0.0]], ["A"]), regions={"*": region})


TOLD = r"v of neuron 3 of A\.odd became inf between 0 and 2 ms of model time"


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_a_run_stops_at_the_end_of_the_window_in_which_a_state_is_not_finite_any_more(tmp_path, engine):
    with pytest.raises(tb.BreakdownError, match=rf"{TOLD}; the run is kept until then: take a shorter run\.dt"):
        simulate(tmp_path / "run.zarr", engine=engine)
    info = run_info(tmp_path / "run.zarr")
    assert (info.status, info.committed) == ("failed", 2.0)
    assert info.breakdown.startswith("v of neuron 3 of A.odd became inf")
    with pytest.raises(tb.BreakdownError, match=TOLD):
        tb.resume(tmp_path / "run.zarr")


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_a_run_can_go_on_and_is_marked_with_the_first_window(tmp_path, engine):
    with pytest.warns(tb.BreakdownWarning, match=f"{TOLD}; the run went on, and is marked"):
        run = simulate(tmp_path / "run.zarr", engine=engine, on_breakdown="mark")
    assert run.attrs["status"] == "complete"
    found = json.loads(run.attrs["breakdown"])
    assert found["text"] == run.twin.summary().attrs["breakdown"] == run_info(tmp_path / "run.zarr").breakdown
    wanted = {"variable": "v", "value": "inf", "of": "neuron 3 of A.odd", "start": 0.0, "stop": 2.0, "n": 1}
    assert {key: found[key] for key in wanted} == wanted


def test_a_later_window_is_named_where_it_breaks_down_later(tmp_path):
    late = cubic(1.0).model_dump()
    late["models"]["cubic"]["equations"] = CUBIC.equations.replace("-v**3/(1*mV**2)/ms/stiffness", "v*1000/ms")
    late["cells"]["odd"]["initial"]["v"]["values"] = [0.0, 0.0, 0.0, 0.0, 1.0]
    with pytest.raises(tb.BreakdownError, match=r"v of neuron 4 of A\.odd became inf between 14 and 16 ms"):
        simulate(tmp_path / "run.zarr", tb.Region.parse(late), duration="20 ms")


def test_what_stays_finite_is_not_marked(tmp_path):
    run = simulate(tmp_path / "run.zarr", start=4.0)
    assert run.attrs["status"] == "complete"
    assert "breakdown" not in run.attrs
    assert run_info(tmp_path / "run.zarr").breakdown == ""


# A synapse's second spike releases what is no number, or infinitely much; every other spike a number.
@pytest.mark.parametrize(
    ("release", "value", "engine"),
    [
        *(("w*sqrt((n - 1)*(n - 3))", "nan", engine) for engine in ENGINE_NAMES),
        ("w*log(abs(n - 2))", "-inf", "reference"),
        ("w/(n - 2)", "inf", "reference"),
    ],
)
def test_a_release_that_is_no_number_is_told_with_its_synapse(tmp_path, release, value, engine):
    region = tb.Region(
        name="odd",
        cells={"lif": tb.Cell(model="lif_current", receptors=("exponential_current",), parameters={"I_e": "1 nA"})},
        populations={"pyr": tb.Population(cell="lif", size=3)},
        plasticity={"odd": tb.PlasticityModel(equations="n : 1", on_pre=f"n += 1; release = {release}")},
        projections=(
            tb.Projection(
                source="pyr",
                target="pyr",
                receptor="exponential_current",
                connect={"probability": 1.0},
                weight="1 pA",
                delay="1 ms",
                plasticity=tb.Plasticity(model="odd"),
            ),
        ),
    )
    with pytest.warns(tb.BreakdownWarning, match=r"release of synapse 0 of exponential_current_odd became"):
        run = simulate(tmp_path / "run.zarr", region, engine=engine, duration="60 ms", on_breakdown="mark")
    found = json.loads(run.attrs["breakdown"])
    assert (found["variable"], found["value"]) == ("release", value)
    assert found["stop"] < 60


def test_a_point_of_a_sweep_that_breaks_down_fails_and_the_others_do_not(tmp_path):
    key = "regions.cubic.models.cubic.parameters.stiffness"
    quick = {"duration": "8 ms", "window": "2 ms", "engine": "reference", "workers": 0, "reduce": ["mean_rates"]}
    swept = tb.sweep(as_brain(cubic()), out=tmp_path / "sweep.zarr", **{key: [1.0, 2.0]}, **quick)
    assert swept["status"].values.tolist() == [2, 1]
    assert "BreakdownError: expected finite numbers, found that v of neuron 3 of A.odd" in swept["error"].values[0]
    workflow = tb.Workflow(name="cubic", run=tb.Run(on_breakdown="mark"), brain=as_brain(cubic()))
    marked = tb.sweep(workflow, out=tmp_path / "marked.zarr", **{key: [1.0, 2.0]}, **quick)
    assert marked["status"].values.tolist() == [1, 1]
    assert marked["error"].values[0].startswith("v of neuron 3 of A.odd became inf")
    assert marked["error"].values[1] == ""


def test_a_neuron_that_breaks_down_stops_a_training():
    broken = tb.Region(
        name="broken",
        models={"cubic": CUBIC},
        cells={"odd": cubic().cells["odd"], "lif": tb.Cell(model="lif_current", receptors=("exponential_current",))},
        populations={"odd": tb.Population(cell="odd", size=5), "lif": tb.Population(cell="lif", size=4)},
        ports=tb.Ports(inputs={"lif": 1.0}, outputs=("lif",)),
    )
    with pytest.raises(
        tb.LearnError, match=r"found v = (nan|-?inf) of neuron 3 of odd after trial 0; lower learning_rate"
    ):
        tb.train(broken, "xor", epochs=1)
