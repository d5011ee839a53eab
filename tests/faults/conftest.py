import os
import subprocess

import numpy as np
import pytest

import twinbrain as tb
from tests.cli.small import REGION, WORKFLOW, write_files

# Windows are short, so that most moments are in or near a commit.
LONGER = WORKFLOW.replace('"40 ms"', '"400 ms"').replace('"20 ms"', '"10 ms"').replace('"reference"', '"brian2"')
LONGER = LONGER.replace('variable = "v"', 'variable = "v"\nneurons = 8\ninterval = "0.1 ms"')


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A folder with the workflow ``small.toml``: 40 windows of 10 ms."""
    folder = tmp_path_factory.mktemp("faults")
    write_files(folder)
    (folder / "small.toml").write_text(LONGER)
    (folder / "pair.toml").write_text(REGION)
    return folder


@pytest.fixture(scope="session")
def uninterrupted(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        return tb.simulate("small.toml", out=place / "uninterrupted.zarr").load()


@pytest.fixture
def check(uninterrupted):
    """Check that a run holds what the uninterrupted one does, up to where it says it is; return how far that is."""

    def compare(path):
        tree = tb.open_run(path)
        committed = tree.attrs["committed"]
        assert committed % 10 == 0
        n_steps = round(committed / 0.1)
        n_spikes = int(np.searchsorted(uninterrupted["spikes/time_step"], n_steps))
        for name, n in (
            ("spikes/time_step", n_spikes),
            ("spikes/neuron", n_spikes),
            ("rate/rate", n_steps // 10),
            ("state/0_v_lif_current/v", n_steps),
        ):
            np.testing.assert_array_equal(tree[name], uninterrupted[name][:n], err_msg=name)
        return committed

    return compare


@pytest.fixture
def disk(tmp_path):
    """A disk of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    if os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)
