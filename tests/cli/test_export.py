"""The command export."""

import libsonata
import nir
import pytest

import twinbrain as tb


@pytest.fixture
def leaky(edit):
    edit("pair.toml", 't_ref = "2 ms"', 't_ref = "0 ms"')


@pytest.mark.usefixtures("leaky")
def test_a_region_is_written_as_nir_without_its_drives_if_that_is_said(twinbrain, folder):
    outcome = twinbrain("export", "pair.toml", "--to", "nir", "--out", "pair.nir", "--drives", "drop")
    assert (outcome.code, outcome.err) == (0, "")
    assert "pair.nir holds pair.toml as nir" in outcome.out
    assert {"exc", "inh", "exc_to_inh_weight"} <= set(nir.read(folder / "pair.nir").nodes)


def test_what_nir_cannot_express_is_one_message(refused, folder):
    refused(
        ("export", "small.toml", "--to", "nir", "--out", "small.nir"),
        "region test/pair: population exc.t_ref: expected no refractory period, found up to 2 ms",
        "drive 0 exc:exponential_current: expected no input from outside, found a Poisson drive; "
        'leave it out with drives="drop" (--drives drop)',
        "stimulus pulse",
    )
    assert not (folder / "small.nir").exists()


def test_a_workflow_is_written_as_sonata_with_the_spikes_of_a_run(twinbrain, folder):
    twinbrain("run", "small.toml", "--seed", 4, "--no-figure")
    options = ("--to", "sonata", "--out", "circuit", "--drives", "keep", "--run", "runs/small.zarr")
    assert twinbrain("export", "small.toml", *options).code == 0
    assert tb.read_sonata(folder / "circuit").seed == 4
    assert len(libsonata.SpikeReader(str(folder / "circuit/spikes.h5")).get_population_names()) == 2
    assert twinbrain("export", "small.toml", *options).code == 2
    assert twinbrain("export", "small.toml", *options, "--overwrite").code == 0


def test_options_of_the_other_format_are_refused(refused):
    for option in (("--run", "runs/small.zarr"), ("--drives", "keep")):
        refused(("export", "small.toml", "--to", "nir", "--out", "x.nir", *option), "expected --to sonata, found nir")
