import numpy as np
import pytest
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure

from twinbrain import analysis, plot
from twinbrain.connectome import synthetic_connectome
from twinbrain.errors import ConnectomeError, SpecError, StoreError
from twinbrain.plot.canvas import new_axes
from twinbrain.plot.palette import colour_key, colours, shade

PNG = b"\x89PNG"


def texts(ax):
    return [text.get_text() for text in ax.texts]


def dots(ax):
    """Times and rows of the spikes that were drawn."""
    lines = [line for line in ax.lines if line.get_marker() == "."]
    return np.concatenate([line.get_xdata() for line in lines]), np.concatenate([line.get_ydata() for line in lines])


@pytest.mark.parametrize("name", ["raster", "rates", "connectome_matrix", "brain_map", "spectrum"])
def test_each_function_draws_where_it_is_told_and_returns_it(small_brain, name, tmp_path):
    ax = new_axes(None)
    assert getattr(plot, name)(small_brain, ax=ax) is ax
    own = getattr(plot, name)(small_brain)
    assert isinstance(own.figure, Figure)
    assert own.figure is not ax.figure
    path = plot.save(own, tmp_path / "new" / f"{name}.png")
    assert path.read_bytes().startswith(PNG)


@pytest.mark.parametrize("suffix", ["pdf", "svg"])
def test_figures_are_saved_as_their_suffix_says(region, tmp_path, suffix):
    start = {"pdf": b"%PDF", "svg": b"<?xml"}[suffix]
    assert plot.save(plot.rates(region), tmp_path / f"rates.{suffix}").read_bytes().startswith(start)


OF_REGIONS = ("brain_map", "connectome_matrix", "functional_connectivity", "structure_function", "summary_figure")
OF_SPIKES = ("raster", "summary_figure")


@pytest.mark.parametrize("name", ["rates", "spectrum", "raster", *OF_REGIONS])
def test_what_was_selected_of_a_run_is_refused_in_one_message(small_brain, name):
    selections = [{"population": 0}, {"population": []}]
    # Rates and their spectra are drawn of the populations that are left.
    selections += [{"target": 0}, {"population": [0]}] * (name in OF_REGIONS)
    selections += [{"spike": slice(0, 50)}, {"spike": 0}, {"window": 0}] * (name in OF_SPIKES)
    for selected in selections:
        with pytest.raises(StoreError, match=r"selected|expected two regions or more whose rates vary"):
            getattr(plot, name)(small_brain.isel(selected, missing_dims="ignore"))


def test_a_summary_without_spikes_is_of_all_populations(small_brain):
    bare = small_brain.copy()
    del bare["spikes"]
    with pytest.raises(StoreError, match=r"expected all populations of the run, .* the summary figure"):
        plot.summary_figure(bare.isel(population=slice(0, -1)))


def test_a_raster_of_all_neurons_has_every_spike_once(region):
    time, row = dots(plot.raster(region))
    spikes = analysis.spikes(region)
    np.testing.assert_allclose(np.sort(time) * 1000, spikes["time"], rtol=1e-12)
    assert len(set(zip(time, row, strict=True))) == spikes.sizes["spike"]


def test_rows_of_a_raster_are_neurons_from_the_first_at_the_top(region):
    time, row = dots(plot.raster(region))
    n = int(analysis.populations(region)["size"].sum())
    spikes = analysis.spikes(region)
    expected = zip(spikes["time"].values / 1000, n - 1 - spikes["neuron"].values, strict=True)
    assert {(round(t, 6), r) for t, r in zip(time, row, strict=True)} == {(round(t, 6), r) for t, r in expected}


def test_a_raster_says_how_many_neurons_it_draws(brain, region):
    ax = plot.raster(brain, n_neurons=400)
    said = next(text for text in texts(ax) if "neurons" in text)
    drawn = int(said.split()[0].replace(",", ""))
    assert f"of {brain['network'].attrs['n_neurons']:,} neurons" in said
    assert dots(ax)[1].max() < drawn <= 400 + analysis.populations(brain).sizes["population"]
    assert "all 75 neurons" in texts(plot.raster(region))


def test_a_raster_numbers_neurons_from_0_at_the_top(region, brain, helpers):
    trains = [[5 * n] for n in range(4)]
    two = helpers.make_run([("A", "x/a", "e", "glutamate", 2), ("B", "y/b", "i", "gaba", 2)], trains, duration=10.0)
    for run, label, last in ((region, "neuron", 74), (two, "neuron", 3), (brain, "drawn neuron", None)):
        ax = plot.raster(run)
        numbers = [int(text.get_text().replace(",", "")) for text in ax.get_yticklabels()]
        last = dots(ax)[1].max() if last is None else last
        assert (ax.get_ylabel(), numbers[-1], numbers[0]) == (label, 0, last)
        assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize("draw", [plot.functional_connectivity, plot.raster, plot.rates, plot.traces, plot.spectrum])
def test_what_is_no_run_is_named(region, draw):
    with pytest.raises(StoreError, match=r"expected a run, as tb\.open_run and .*, found a DataArray"):
        draw(analysis.mean_rates(region))


def test_a_raster_draws_a_neuron_of_each_population(brain):
    ax = plot.raster(brain, n_neurons=1)
    said = next(text for text in texts(ax) if "neurons" in text)
    assert said.startswith(f"{analysis.populations(brain).sizes['population']} of")


def test_numbers_of_what_is_drawn_are_counts(brain):
    for figure, name, least in ((plot.raster, "n_neurons", 1), (plot.brain_map, "n_connections", 0)):
        with pytest.raises(SpecError, match=f"{name}: expected a whole number of at least {least}, found -1"):
            figure(brain, **{name: -1})


def test_a_raster_keeps_to_its_part_of_the_run(brain):
    ax = plot.raster(brain, region="L-0*", population="pyr", start="200 ms", stop="300 ms")
    assert ax.get_xlim() == (200, 300)
    assert ax.get_xlabel() == "time (ms)"
    time, _ = dots(ax)
    assert time.min() >= 200
    assert time.max() < 300
    assert {"cortex", "hippocampus"} <= set(texts(ax))
    assert "thalamus" not in texts(ax)


def test_dots_are_drawn_as_pixels_so_that_vector_files_stay_small(region):
    assert all(line.get_rasterized() for line in plot.raster(region).lines if line.get_marker() == ".")


def test_a_run_without_spikes_in_the_time_drawn_has_an_empty_raster(region, tmp_path):
    ax = plot.raster(region, start="0 ms", stop="0.1 ms")
    plot.save(ax, tmp_path / "empty.png")
    assert len(dots(ax)[0]) == 0


def test_stimuli_are_shaded_and_named(brain):
    for ax in (plot.raster(brain), plot.rates(brain, by="family")):
        assert "flash" in texts(ax)
        spans = [patch.get_extents().transformed(ax.transData.inverted()) for patch in ax.patches]
        spans += [area.get_paths()[0].get_extents() for area in ax.collections]
        assert any(np.allclose((box.x0, box.x1), (0.4, 0.5)) for box in spans)


def test_stimuli_that_overlap_are_named_together(helpers):
    stimuli = [
        {"name": n, "start": s, "duration": "100 ms"} for n, s in [("a", "100 ms"), ("b", "150 ms"), ("c", "800 ms")]
    ]
    run = helpers.known_run(duration=1000.0, stimuli=stimuli)
    assert {"a, b", "c"} <= set(texts(plot.rates(run)))


def test_few_rates_are_lines_with_their_values(region):
    ax = plot.rates(region, bin="10 ms")
    rate = analysis.rates(region, "10 ms", "kind")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["pyr", "pv", "sst", "vip"]
    for line, name in zip(ax.lines, rate["kind"].values, strict=True):
        np.testing.assert_allclose(line.get_ydata(), rate.sel(kind=name))
        np.testing.assert_allclose(line.get_xdata() * 1000, rate["time"] + 5)  # the middle of the bin
    assert plot.rates(region, legend=False).get_legend() is None


def test_many_rates_are_a_map_with_families_together(brain):
    ax = plot.rates(brain, bin="20 ms")
    image = ax.images[0].get_array()
    assert image.shape == (96, 60)
    rate = analysis.rates(brain, "20 ms", "region")
    key = colour_key(brain)
    order = sorted(range(96), key=lambda i: key.names.index(str(rate["family"].values[i])))
    np.testing.assert_allclose(image, rate.values.T[order])
    assert set(texts(ax)) >= {key.label(name) for name in key.names}


def test_names_of_families_do_not_overlap(brain, tmp_path):
    for ax in (plot.rates(brain), plot.raster(brain)):
        plot.save(ax, tmp_path / "bands.png")  # which lays the figure out
        names = {key_name.replace("_", " ") for key_name in colour_key(brain).names}
        boxes = [text.get_window_extent() for text in ax.texts if text.get_text() in names]
        assert len(boxes) == 6
        for i, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[i + 1 :])


def test_regions_are_named_where_they_are_few(small_brain):
    labels = {label.get_text() for label in plot.rates(small_brain).get_yticklabels()}
    assert labels == set(analysis.regions(small_brain)["region"].values)
    assert {label.get_text() for label in plot.connectome_matrix(small_brain).get_xticklabels()} == labels


def test_rows_of_the_matrix_are_targets(small_brain):
    ax = plot.connectome_matrix(small_brain)
    connectome = analysis.connectome(small_brain)
    order = [label.get_text() for label in ax.get_yticklabels()]
    expected = connectome.weight.sel(target=order, source=order).values
    np.testing.assert_array_equal(ax.images[0].get_array().filled(0), expected)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("source", "target")
    assert isinstance(ax.images[0].norm, LogNorm)
    assert order[:6] == sorted(order[:6]) == [f"L-0{i}" for i in range(1, 7)]  # hemispheres apart


def test_weights_within_a_decade_have_a_linear_scale(small_brain):
    connectome = synthetic_connectome(40)
    flat = connectome.replace(weight=np.where(connectome.weight > 0, 2.0, 0.0))
    assert not isinstance(plot.connectome_matrix(flat).images[0].norm, LogNorm)


def test_a_connectome_alone_can_be_drawn_whatever_it_lacks(tmp_path):
    bare = synthetic_connectome(40).replace(hemisphere=None, centroids=None)
    plot.save(plot.connectome_matrix(bare), tmp_path / "bare.png")
    empty = bare.replace(weight=np.zeros((40, 40)))
    plot.save(plot.connectome_matrix(empty), tmp_path / "empty.png")
    with pytest.raises(ConnectomeError, match=r"centroids of synthetic-40, found none; .*replace\(centroids"):
        plot.brain_map(bare)


def test_the_map_is_drawn_along_the_axes_of_largest_spread():
    connectome = synthetic_connectome(20)
    x, y, z = connectome.centroids.values.T
    swapped = connectome.replace(centroids=np.stack([y, z, x], axis=1))  # the long axis is called x here
    ax = plot.brain_map(swapped)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("z (mm)", "x (mm)")
    found = ax.collections[-1].get_offsets()
    np.testing.assert_allclose(np.sort(found[:, 1]), np.sort(y))
    np.testing.assert_allclose(np.sort(found[:, 0]), np.sort(x))
    assert ax.get_aspect() == 1


def test_the_map_colours_each_region_by_its_value(small_brain):
    rate = analysis.mean_rates(small_brain)
    ax = plot.brain_map(small_brain, rate)
    centroids = analysis.connectome(small_brain).centroids
    at = {tuple(np.round(c, 6)): float(v) for c, v in zip(centroids.values[:, :2], rate.values, strict=True)}
    points = ax.collections[-1]
    for place, value in zip(points.get_offsets(), points.get_array(), strict=True):
        assert at[tuple(np.round(place, 6))] == pytest.approx(value)
    assert ax.child_axes[0].get_ylabel() == "mean firing rate (Hz)"


def test_regions_in_a_line_have_a_map_too(tmp_path):
    connectome = synthetic_connectome(4).replace(centroids=[[0, y, 0] for y in range(4)])
    plot.save(plot.brain_map(connectome), tmp_path / "line.png")


def test_a_spectrum_has_a_line_a_family_and_none_for_silence(brain, helpers):
    assert len(plot.spectrum(brain).lines) == 6
    ax = plot.spectrum(helpers.known_run(duration=1000.0), by="population", highest=80)
    assert [line.get_label() for line in ax.lines] == ["A/pyr", "A/pv", "B/tc"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert 78 <= ax.get_xlim()[1] <= 80


def test_a_spectrum_keeps_low_frequencies_and_the_mean_power_of_high_ones(brain):
    (line, *_), power = plot.spectrum(brain).lines, analysis.spectrum(brain).isel(family=0)
    frequency, drawn = line.get_data()
    np.testing.assert_allclose(drawn[:10], power[:10])
    step = np.round(40 * np.log10(power["frequency"].values))
    last = (step == np.round(40 * np.log10(frequency[-1]))) & (power["frequency"].values <= 200)
    assert last.sum() > 3
    assert drawn[-1] == pytest.approx(float(power.values[last].mean()))


def test_colours_differ_and_stay_with_their_family():
    first = colours(["cortex", "thalamus", "cerebellum"])
    second = colours(["thalamus", "midbrain", "cortex"])
    assert (first["cortex"], first["thalamus"]) == (second["cortex"], second["thalamus"])
    assert len(set(colours([f"kind {i}" for i in range(16)]).values())) == 16


def test_inhibitory_populations_are_darker(brain):
    for colour in colour_key(brain).colour.values():
        assert sum(to_rgb(shade(colour, "gaba"))) < sum(to_rgb(shade(colour, "glutamate")))


def test_colours_stand_for_families_of_a_brain_and_populations_of_a_region(brain, region):
    assert colour_key(brain).by == "family"
    key = colour_key(region)
    assert (key.by, [key.label(name) for name in key.names]) == ("kind", ["pyr", "pv", "sst", "vip"])


def test_a_stimulus_shades_the_rows_that_it_reaches_and_each_of_its_pulses(helpers):
    kinds = {"cortex/column": [("pyr", "glutamate", 8, 5), ("pv", "gaba", 3, 12)]}
    train = {"amplitude": "1 nA", "width": "5 ms", "period": "25 ms", "delay": "10 ms"}
    pulses = {"name": "train", "start": "100 ms", "duration": "100 ms", "regions": "L-01", "population": "pyr"}
    run = helpers.brain_run(
        synthetic_connectome(6),
        lambda label: "cortex/column",
        kinds,
        duration=400.0,
        stimuli=[pulses | {"pulses": train}],
    )
    (span,) = analysis.stimuli(run)
    assert span.on == ((110.0, 115.0), (135.0, 140.0), (160.0, 165.0), (185.0, 190.0))
    assert [span.reaches(*names) for names in (("L-01", "pyr"), ("L-01", "pv"), ("R-01", "pyr"))] == [
        True,
        False,
        False,
    ]
    ax = plot.raster(run)
    areas = [area.get_paths()[0].get_extents() for area in ax.collections]
    assert [(area.x0, area.x1) for area in areas] == list(span.on)
    assert {round(area.height) for area in areas} == {8}  # rows of the one population


def test_rates_of_regions_are_not_cut_off(brain):
    ax = plot.rates(brain)
    assert ax.images[0].norm.vmax == ax.images[0].get_array().max()
