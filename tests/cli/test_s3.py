"""A run on S3, from the command line."""

import json

import numpy as np
import pytest

import twinbrain as tb

NAMES = ("spikes/time_step", "spikes/neuron", "rate/rate", "state/0_v_lif_current/v")


@pytest.mark.slow
def test_a_run_on_s3_is_that_on_a_disk_and_its_figure_lies_here(twinbrain, folder, bucket):
    url = f"{bucket}/runs/remote.zarr"
    outcome = twinbrain("run", "small.toml", "--out", url)
    assert (outcome.code, outcome.err) == (0, "")
    assert f"run     {url}" in outcome.out
    assert (folder / "remote.png").read_bytes().startswith(b"\x89PNG")
    assert twinbrain("run", "small.toml", "--no-figure").code == 0
    remote, local = tb.open_run(url), tb.open_run("runs/small.zarr")
    for name in NAMES:
        np.testing.assert_array_equal(remote[name], local[name])

    info = json.loads(twinbrain("info", url, "--json").out)
    assert (info["path"], info["status"], info["committed"]) == (url, "complete", 40.0)
    assert f"{url} is complete; nothing is left to do" in twinbrain("resume", url, "--no-figure").out
    assert (
        twinbrain("export", "small.toml", "--to", "sonata", "--out", "circuit", "--drives", "drop", "--run", url).code
        == 0
    )


@pytest.mark.slow
def test_a_run_goes_on_on_s3_to_the_same_bits(folder, bucket, s3, twinbrain):
    url = f"{bucket}/runs/remote.zarr"

    def stop_the_server(what, done, of):
        if what == "simulate" and done > 200:  # in the second window
            s3.stop()

    with pytest.raises(tb.StoreError, match=r"cannot be reached.*up to 20 ms.*then resume the run from there"):
        tb.simulate("small.toml", out=url, progress=stop_the_server)
    s3.start()
    assert twinbrain("resume", url, "--no-figure").code == 0
    whole = tb.simulate("small.toml", out="whole.zarr")
    for name in NAMES:
        np.testing.assert_array_equal(tb.open_run(url)[name], whole[name])


def test_a_fault_of_s3_is_one_message_and_nothing_is_run(refused, folder, s3):
    message = refused(("run", "small.toml", "--out", "s3://missing/run.zarr"), "there is no bucket 'missing'", s3.url)
    assert "nothing was recorded; create the bucket, or name another" in message
    refused(("info", "s3://missing/run.zarr"), "there is no bucket 'missing'")
    refused(("resume", "s3://missing"), "expected s3://bucket/name")
    s3.stop()
    refused(("run", "small.toml", "--out", "s3://missing/run.zarr"), "cannot be reached", "check AWS_ENDPOINT_URL")
