"""Dask's files lie in a folder of the user alone, below the one that is configured, which is made if need be."""

import subprocess

import dask

from twinbrain.run.cluster.scratch import BEFORE_SETUP, IN_JOBS, after_setup, private_scratch


def test_the_configured_folder_is_made_as_dask_makes_it(tmp_path):
    below = tmp_path / "not" / "there"
    with dask.config.set({"temporary-directory": str(below)}), private_scratch():
        (folder,) = below.iterdir()
        assert dask.config.get("temporary-directory") == str(folder)
        assert folder.stat().st_mode & 0o077 == 0
    assert list(below.iterdir()) == []


def test_a_job_makes_the_configured_folder_and_takes_its_own_away(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINBRAIN_TEST", str(tmp_path))
    with dask.config.set({"jobqueue.slurm.local-directory": "$TWINBRAIN_TEST/not/there"}):
        lines = [BEFORE_SETUP, after_setup(), f"echo {IN_JOBS}; test -d {IN_JOBS}"]
    told = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=True).stdout
    assert told.startswith(f"{tmp_path}/not/there/")
    assert list((tmp_path / "not/there").iterdir()) == []
