import json
from contextlib import suppress

import numpy as np
import pytest

import twinbrain.analysis
from tests.analysis.runs import make_run
from twinbrain.analysis import cv_isi, mean_rates, summarise, synchrony
from twinbrain.analysis.tree import stimuli
from twinbrain.errors import StoreError
from twinbrain.spec.connectome import Connectome


def test_a_row_holds_what_the_single_measures_say(run):
    table = summarise(run, by="population")
    np.testing.assert_array_equal(table["rate"], mean_rates(run, by="population"))
    np.testing.assert_array_equal(table["cv_isi"], cv_isi(run, by="population"))
    np.testing.assert_array_equal(table["synchrony"], synchrony(run, by="population"))
    assert table["n_neurons"].values.tolist() == [40, 10, 20, 5]
    assert all({"units", "long_name"} <= set(variable.attrs) for variable in table.data_vars.values())


def test_a_table_tells_the_part_of_the_run_that_it_is_of(run):
    end = f"{run.attrs['duration']:g} ms"
    assert summarise(run).attrs == {"start": "0 ms", "stop": end}
    start = twinbrain.analysis.warm_up(run)
    assert summarise(run, start=start).attrs == {"start": start, "stop": end}


def test_rows_are_families_of_a_brain_and_populations_of_a_region(run, make_run):
    assert summarise(run)["family"].values.tolist() == ["cortex", "thalamus"]
    alone = make_run([("A", "x/a", "e", "glutamate", 1), ("A", "x/a", "i", "gaba", 1)], [[0, 9], [1]], duration=10.0)
    assert summarise(alone)["population"].values.tolist() == ["A/e", "A/i"]


def test_a_run_without_spikes_has_rates_still(helpers):
    silent = helpers.known_run(duration=100.0, record_spikes=False)
    assert list(summarise(silent).data_vars) == ["n_neurons", "rate"]
    # Of whole bins, as far as they lie within.
    assert summarise(silent, start="3.3 ms", stop="50.5 ms").attrs == {"start": "4 ms", "stop": "50 ms"}


def test_the_accessor_does_what_the_functions_do(run):
    run = run.copy()
    np.testing.assert_array_equal(run.twin.rates(bin="10 ms"), twinbrain.analysis.rates(run, "10 ms"))
    np.testing.assert_array_equal(run.twin.mean_rates(by="family"), mean_rates(run, by="family"))
    np.testing.assert_array_equal(run.twin.spikes("B", start="1 s", stop="2 s")["time"].values[:1] >= 1000, [True])
    np.testing.assert_array_equal(run.twin.cv_isi(), cv_isi(run))
    np.testing.assert_array_equal(run.twin.synchrony(measure="correlation"), synchrony(run, measure="correlation"))
    np.testing.assert_array_equal(run.twin.fano_factor(), twinbrain.analysis.fano_factor(run))
    np.testing.assert_array_equal(run.twin.spectrum(), twinbrain.analysis.spectrum(run))
    fc = run.twin.functional_connectivity()
    np.testing.assert_array_equal(fc, twinbrain.analysis.functional_connectivity(run))
    assert run.twin.summary().identical(summarise(run))
    assert run.twin.connectome.labels == ["A", "B"]
    with pytest.raises(StoreError, match="state variable 'v'"):
        run.twin.state("v")


def test_populations_and_regions_describe_the_network(run):
    table = run.twin.populations
    assert table["population"].values.tolist() == ["A/pyr", "A/pv", "B/tc", "B/silent"]
    assert table.sel(population="A/pv")["module"].item() == "cortex/column"
    assert table["start"].values.tolist() == [0, 40, 50, 70]
    regions = run.twin.regions
    assert regions["n_neurons"].values.tolist() == [50, 25]
    assert regions["n_populations"].values.tolist() == [2, 2]
    assert regions["family"].values.tolist() == ["cortex", "thalamus"]


def test_what_is_written_into_a_table_changes_no_later_one(run):
    table = run.twin.populations
    for name in ("size", "region", "population"):
        table[name].values[:] = table[name].values[::-1].copy()
    again = run.twin.populations
    assert again["size"].values.tolist() == [40, 10, 20, 5]
    assert again["region"].values.tolist() == ["A", "A", "B", "B"]
    assert again["population"].values.tolist() == ["A/pyr", "A/pv", "B/tc", "B/silent"]


def test_what_is_written_into_coordinates_of_a_result_changes_no_later_one(run):
    for by in ("population", "region"):
        found = run.twin.cv_isi(by=by)
        expected = found["n_neurons"].values.copy()
        with suppress(ValueError):  # where it is read-only
            found["n_neurons"].values[:] = 999
        np.testing.assert_array_equal(run.twin.cv_isi(by=by)["n_neurons"], expected)


def test_a_run_opened_from_zarr_gives_the_same(run, save_run):
    opened = save_run(run)
    assert opened["spikes"]["time_step"].chunks is not None
    assert opened.twin.summary("population").identical(summarise(run, "population"))
    assert opened.twin.connectome == run.twin.connectome
    assert all(array.chunks for group in opened.subtree for array in group.data_vars.values()), "it stays lazy"


def test_a_damaged_connectome_is_named(run):
    broken = run.copy()
    broken["connectome"] = broken["connectome"].to_dataset().drop_vars("length")
    with pytest.raises(StoreError, match="connectome of the run: expected a variable 'length'"):
        _ = broken.twin.connectome


def test_stimuli_are_read_from_the_spec_and_missed_without_complaint(run):
    assert stimuli(run) == []
    told = run.copy()
    told.attrs["spec"] = '{"stimuli": [{"name": "flash", "start": "0.5 s", "duration": "200 ms"}]}'
    (flash,) = stimuli(told)
    assert (flash.name, flash.start, flash.stop) == ("flash", 500, 700)
    for spec in ("", "[]", '{"stimuli": [{"name": "flash"}]}', '{"stimuli": null}'):
        told.attrs["spec"] = spec
        assert stimuli(told) == []


def test_a_stimulus_reached_the_region_whose_name_it_gives_alone():
    connectome = Connectome(np.zeros((3, 3)), np.zeros((3, 3)), ["M[1]", "M1", "V"])
    told = [{"name": "n", "start": "0 ms", "duration": "1 ms", "regions": pattern} for pattern in ("M[1]", "M?", "*")]
    populations = [(label, "x/a", "e", "glutamate", 1) for label in connectome.labels]
    run = make_run(populations, [[]] * 3, duration=100.0, connectome=connectome, stimuli=told)
    assert [span.regions for span in stimuli(run)] == [("M[1]",), ("M1",), ("M[1]", "M1", "V")]
    assert [stimuli(run)[0].reaches(label, "e") for label in connectome.labels] == [True, False, False]


def test_a_train_of_pulses_has_those_that_the_run_has(run):
    told, end = run.copy(), run.attrs["duration"]

    def train(**pulses):
        told.attrs["spec"] = json.dumps(
            {"stimuli": [{"name": "train", "start": "0 ms", "duration": "4000000 s", "pulses": pulses}]}
        )
        (span,) = stimuli(told)
        return span

    span = train(width="0.2 s", period="1 s")
    assert span.on == tuple((second * 1000.0, second * 1000 + 200.0) for second in range(round(end / 1000)))
    assert span.stop == 4e9
    assert train(width="1 s", period="2 s", delay=f"{end} ms").on == ()
    assert train(width="1e-9 ms", period="2e-9 ms").on == ((0.0, 4e9),)  # many a step


def test_a_part_of_a_connectome_is_not_normalised_anew(helpers):
    labels = ["A", "B", "C"]
    drawn = np.random.default_rng(1).random((3, 3))
    run = helpers.make_run(
        [(label, "x/a", "e", "glutamate", 1) for label in labels],
        [[]] * 3,
        duration=10.0,
        connectome=Connectome(drawn, drawn, labels),
    )
    run.attrs["spec"] = json.dumps({"brain": {"normalisation": "row"}})
    turned = run.isel(target=[2, 1, 0]).twin.connectome.weight
    np.testing.assert_allclose(turned.sel(target=labels, source=labels), run.twin.connectome.weight)
    part = run.isel(target=[0, 1], source=[0, 1])
    for selected in (part, part.isel(population=[0, 1])):
        with pytest.raises(StoreError, match=r"expected all regions of the run, .* found 2 .*connectome.select"):
            _ = selected.twin.connectome
    run.attrs["spec"] = "{}"
    assert run.isel(target=[0, 1], source=[0, 1]).twin.connectome == run.twin.connectome.at([0, 1])
