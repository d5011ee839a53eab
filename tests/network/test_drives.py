import numpy as np
import pytest
from scipy import stats

from tests.examples import CORTEX, build_brain, build_region, region_data, small_brain, two_population_region
from twinbrain.errors import SpecError
from twinbrain.network.random import philox
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.region import Region


def four_steps(drive, group):
    """Return the words of four steps, as the declaration of a drive says they are drawn."""
    size = drive.stop - drive.start
    counter = np.zeros((4, size), np.uint64)
    counter[0], counter[1] = np.arange(size), group
    return philox(counter, np.array(drive.key, np.uint64)[:, None])


def counts(mean, n_steps, size):
    region = two_population_region()
    data = region.to_dict() | {
        "drives": [{"population": "pyr", "receptor": "ampa", "rate": f"{mean * 1e4} Hz", "weight": "1 nS"}]
    }
    data["populations"]["pyr"]["size"] = size
    (drive,) = build_region(Region.parse(data)).drives
    assert drive.stop - drive.start == size
    words = np.concatenate([four_steps(drive, group) for group in range(n_steps // 4)])
    return np.searchsorted(drive.thresholds.astype(np.uint64), words, side="right")


@pytest.mark.parametrize("mean", [0.12, 3.0])
def test_counts_are_poisson_and_independent_over_neurons_and_steps(mean):
    found = counts(mean, 400, 200)
    k = np.arange(found.max() + 2)
    expected = stats.poisson.pmf(k, mean) * found.size
    expected[-1] += stats.poisson.sf(k[-1], mean) * found.size
    observed = np.bincount(found.ravel(), minlength=len(k)).astype(float)
    while expected[-1] < 5:  # join the rare counts
        expected = np.append(expected[:-2], expected[-2:].sum())
        observed = np.append(observed[:-2], observed[-2:].sum())
    assert stats.chisquare(observed, expected).pvalue > 1e-3
    limit = 5 / np.sqrt(found.size)
    assert abs(np.corrcoef(found[1:].ravel(), found[:-1].ravel())[0, 1]) < limit
    assert abs(np.corrcoef(found[:, 1:].ravel(), found[:, :-1].ravel())[0, 1]) < limit


def test_a_drive_reaches_its_population_with_its_weight():
    network = build_region(two_population_region())
    pyr, pv = network.drives
    inlets = {(i, inlet.receptor): inlet for i, block in enumerate(network.blocks) for inlet in block.inlets}
    for drive, population, weight, rate in ((pyr, 0, 1.5, 1900), (pv, 1, 1.0, 1500)):
        place = network.populations[population]
        inlet = inlets[place.block, "ampa"]
        assert (drive.start, drive.stop) == (inlet.start + place.offset, inlet.start + place.offset + place.size)
        assert drive.weight * inlet.quantum == pytest.approx(weight, rel=1e-4)
        assert drive.mean == pytest.approx(rate * 1e-4)
        assert drive.first_step == 0
        assert drive.last_step > 2**60


def test_every_drive_has_its_own_stream():
    drives = build_brain(small_brain(6)).drives
    assert len({drive.key for drive in drives}) == len({drive.name for drive in drives}) == len(drives) == 12


def test_a_drive_without_events_is_left_out():
    data = region_data(CORTEX)
    data["drives"][0]["rate"] = "0 Hz"
    assert len(build_region(Region.parse(data)).drives) == 1


def stimulus(**changes):
    return Stimulus.parse(
        {
            "name": "flash",
            "regions": "CX-*",
            "population": "pyr",
            "receptor": "ampa",
            "rate": "50 Hz",
            "weight": "1 nS",
            "start": "10 ms",
            "duration": "5 ms",
        }
        | changes
    )


def test_a_stimulus_acts_on_the_regions_it_fits_for_its_time():
    brain = small_brain(3)
    plain, with_it = build_brain(brain), build_brain(brain, stimuli=(stimulus(),))
    added = with_it.drives[len(plain.drives) :]
    assert [drive.name for drive in added] == ["stimulus flash pyr:ampa of CX-0", "stimulus flash pyr:ampa of CX-2"]
    assert {(drive.first_step, drive.last_step) for drive in added} == {(100, 150)}
    assert [drive.key for drive in with_it.drives[: len(plain.drives)]] == [drive.key for drive in plain.drives]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regions": "V*"}, "stimuli.flash.regions: the pattern 'V*' matches no region; Known: CX-0, CX-2, TH-1"),
        ({"population": "pyra"}, "stimuli.flash.population: unknown population 'pyra'; did you mean 'pyr'?"),
        (
            {"receptor": "amba"},
            "stimuli.flash.receptor: unknown receptor 'amba' of population 'pyr'; did you mean 'ampa'?",
        ),
        (
            {"weight": "1 pA"},
            "stimuli.flash.weight: expected a quantity in nS, found '1 pA', which is of another dimension",
        ),
        ({"rate": "3 MHz"}, "stimuli.flash: rate: expected at most 200 events a step, found 300; split the drive"),
    ],
)
def test_a_stimulus_that_reaches_nothing_is_refused(changes, message):
    with pytest.raises(SpecError) as caught:
        build_brain(small_brain(3), stimuli=(stimulus(**changes),))
    assert str(caught.value).startswith(message)
    assert len(caught.value.problems) == 1


def test_a_drive_of_too_many_events_is_refused_with_its_place():
    data = region_data(CORTEX)
    data["drives"][1]["rate"] = "3 MHz"
    with pytest.raises(SpecError, match=r"^region test/cortex: drives\[1\]: rate: expected at most 200 events a step"):
        build_region(Region.parse(data))


def test_events_do_not_change_when_currents_come_in_beside_them():
    plain = build_brain(small_brain(3), stimuli=(stimulus(),)).drives
    injected = Stimulus(name="dc", population="pyr", current="1 pA", start="0 ms", duration="1 ms")
    beside = build_brain(small_brain(3), stimuli=(injected, stimulus())).drives
    for one, other in zip(plain, beside, strict=True):
        assert (one.name, one.key, one.weight, one.mean) == (other.name, other.key, other.weight, other.mean)
        np.testing.assert_array_equal(one.thresholds, other.thresholds)


def test_noise_is_a_normal_number_of_the_words_that_events_would_draw():
    noise = {"receptor": "current", "rate": None, "weight": None, "noise": "20 pA"}
    drive = build_brain(small_brain(3), stimuli=(stimulus(**noise),)).drives[-1]
    words = four_steps(drive, 7)
    counts = np.searchsorted(drive.thresholds.astype(np.uint64), words, side="right") - drive.offset
    assert drive.key == build_brain(small_brain(3), stimuli=(stimulus(**noise),)).drives[-1].key
    expected = stats.norm.ppf((words + 0.5) / 2.0**32)
    np.testing.assert_allclose(counts / 8, expected, atol=0.5 / 8 + 1e-6)
