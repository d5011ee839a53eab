"""Who reaches a scheduler can run code there, so beyond this machine only those who hold a key reach it."""

import contextlib
import json
import shlex
import subprocess
import sys
import tempfile
import time

import pytest
from distributed import Client, Security

import twinbrain as tb
from tests.run.cluster.conftest import dask
from tests.run.conftest import lively
from twinbrain.run.cluster.connect import connected, workers_ready
from twinbrain.run.cluster.scratch import BEFORE_SETUP, after_setup
from twinbrain.run.cluster.slurm import job_arguments
from twinbrain.run.cluster.tls import security_for_jobs
from twinbrain.spec.cluster import ClusterProfile
from twinbrain.spec.load import load_profile

FILES = {"ca.pem": "tls_ca_file", "cert.pem": "tls_client_cert", "key.pem": "tls_client_key"}
PROFILE = '[tls]\nca_file = "ca.pem"\ncert_file = "cert.pem"\nkey_file = "key.pem"\n'


def write_certificates(folder):
    """Write a certificate of its own authority, its key, and a profile that names them."""
    folder.mkdir()
    found = Security.temporary()
    for name, kind in FILES.items():
        (folder / name).write_text(getattr(found, kind))
    (folder / "key.pem").chmod(0o600)
    (folder / "lab.toml").write_text(PROFILE)
    return folder / "lab.toml"


@pytest.fixture
def encrypted(tmp_path):
    """The address of a scheduler that asks for certificates, one worker of it, and the profile that fits."""
    profile = write_certificates(tmp_path / "ours")
    options = [
        f"--tls-{name}={profile.parent / file}" for name, file in zip(("ca-file", "cert", "key"), FILES, strict=True)
    ]
    file = tmp_path / "scheduler.json"
    with contextlib.ExitStack() as stack:
        started = ("--host", "127.0.0.1", "--port", 0, "--protocol", "tls", "--no-dashboard", "--scheduler-file", file)
        process = stack.enter_context(dask("scheduler", *started, *options))
        while not file.exists() or not file.read_text():
            assert process.poll() is None
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        stack.enter_context(dask("worker", address, "--nthreads", 1, "--no-dashboard", *options))
        yield address, profile


def test_a_sweep_runs_on_a_scheduler_that_asks_for_certificates_and_strangers_do_not(encrypted, tmp_path, monkeypatch):
    address, profile = encrypted
    assert address.startswith("tls://127.0.0.1:")
    with connected(address, profile=profile) as client:
        workers_ready(client, 1, timeout=300)
    found = tb.sweep(
        lively(),
        out=tmp_path / "s.zarr",
        engine="reference",
        duration="20 ms",
        seed=[1],
        cluster=address,
        profile=profile,
    )
    assert (found["status"] == 1).all()
    monkeypatch.setattr("twinbrain.run.cluster.address._CONNECT_TIMEOUT", "2s")
    stranger = write_certificates(tmp_path / "theirs")
    with pytest.raises(tb.ClusterError, match="expected a scheduler at tls://"), connected(address, profile=stranger):
        pass
    with pytest.raises(OSError, match=r"."):
        Client(address.replace("tls://", "tcp://"), timeout="2s")


def test_certificates_that_are_missing_or_do_not_fit_are_named(tmp_path):
    profile = write_certificates(tmp_path / "ours")
    other = write_certificates(tmp_path / "theirs")
    (profile.parent / "key.pem").write_bytes((other.parent / "key.pem").read_bytes())
    with (
        pytest.raises(tb.ClusterError, match="found that they do not fit"),
        connected("tls://127.0.0.1:9", profile=profile),
    ):
        pass
    (profile.parent / "key.pem").unlink()
    with (
        pytest.raises(tb.SpecError, match=r"tls\.key_file: .*found none at .*key\.pem"),
        connected("tls://h:9", profile=profile),
    ):
        pass
    with (
        pytest.raises(tb.SpecError, match='"slurm" or "tls://…" alone'),
        connected("tcp://127.0.0.1:9", profile=profile),
    ):
        pass


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('setup = ["touch {marker}"]', "setup"),
        ('python = "touch {marker} #"', "python"),
        ('queue = "main\\ntouch {marker}"', "queue"),
        ('queue = "$(touch {marker})"', "queue"),
        ('account = "lab; touch {marker}"', "account"),
        ('interface = "lo; touch {marker} #"', "interface"),
        ('memory = "1 GB\\ntouch {marker}"', "memory"),
        ('logs = "logs; touch {marker}"', "logs"),
        ('logs = "`touch {marker}`"', "logs"),
        ('directives = ["--constraint=a\\ntouch {marker}"]', "directives"),
        ('directives = ["--export=ALL,BASH_ENV=evil.sh"]', "directives"),
        ('directives = ["--wrap=touch {marker}"]', "directives"),
        ('directives = ["--output=/root/.bashrc"]', "directives"),
        ('directives = ["--chdir=evil"]', "directives"),
    ],
)
def test_no_profile_in_a_file_writes_a_command_into_a_job(tmp_path, marker, line, place):
    (tmp_path / "lab.toml").write_text(line.format(marker=marker))
    with pytest.raises(tb.SpecError, match=rf"lab\.toml: {place}"):
        load_profile(tmp_path / "lab.toml")


def test_a_job_of_a_profile_in_a_file_runs_a_worker_and_nothing_else(tmp_path):
    from dask_jobqueue.slurm import SLURMJob

    (tmp_path / "lab.toml").write_text(
        'queue = "main"\naccount = "lab"\ninterface = "lo"\nlogs = "slurm-logs"\n'
        'directives = ["--constraint=skylake|broadwell", "--exclusive"]\n'
    )
    arguments = job_arguments(load_profile(tmp_path / "lab.toml").replace(logs=str(tmp_path)))
    arguments.pop("scheduler_options")
    lines = SLURMJob("tls://10.0.0.1:8786", name="worker-0", **arguments).job_script().splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands[:-1] == [BEFORE_SETUP, after_setup()]
    assert "-m distributed.cli.dask_worker tls://10.0.0.1:8786" in commands[-1]


@contextlib.contextmanager
def job_script(profile):
    """Give the script of a job of a profile, and the certificates that its command names."""
    from dask_jobqueue.slurm import SLURMJob

    arguments = job_arguments(profile)
    arguments.pop("scheduler_options")
    with security_for_jobs(profile) as security:
        job = SLURMJob("tls://10.0.0.1:8786", name="worker-0", security=security, **arguments)
        yield job.job_script(), security


@pytest.mark.parametrize("own", [True, False])
def test_no_name_of_a_file_or_folder_is_a_command_in_a_job(tmp_path, monkeypatch, own):
    folder = tmp_path / "my $(touch attacked) brains"
    write_certificates(folder)
    if own:
        (folder / "ca.pem").rename(folder / "ca;touch attacked;.pem")
        (folder / "lab.toml").write_text(PROFILE.replace("ca.pem", "ca;touch attacked;.pem"))
    profile = load_profile(folder / "lab.toml") if own else ClusterProfile()
    monkeypatch.chdir(folder)
    with job_script(profile.replace(python="printf '%s\\n'")) as (script, security):
        done = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True)
        told = done.stdout.splitlines()
        for option, path in (
            ("--tls-ca-file", security.tls_ca_file),
            ("--tls-cert", security.tls_worker_cert),
            ("--tls-key", security.tls_worker_key),
        ):
            assert told[told.index(option) + 1] == path
            assert path.startswith(str(folder))
    assert list(tmp_path.rglob("attacked")) == []


def test_the_interpreter_of_a_job_may_lie_in_any_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/opt/my $(touch attacked) tools/python")
    with job_script(ClusterProfile(logs=str(tmp_path))) as (script, _):
        assert shlex.split(script.splitlines()[-1])[0] == sys.executable


def test_a_private_key_that_others_can_read_is_refused(tmp_path):
    profile = write_certificates(tmp_path / "ours")
    (profile.parent / "key.pem").chmod(0o640)
    with pytest.raises(tb.ClusterError, match=r"only you can read, .* chmod 600 .*key\.pem"):
        connected("tls://127.0.0.1:9", profile=profile).__enter__()


def test_certificates_that_are_made_are_files_of_the_user_alone(tmp_path):
    with job_script(ClusterProfile(logs=str(tmp_path))):
        modes = {path.stat().st_mode & 0o777 for path in tmp_path.glob(".certificates-*/*.pem")}
    assert modes == {0o600}


def test_a_path_of_two_lines_is_no_certificate(tmp_path):
    profile = load_profile(write_certificates(tmp_path / "two\nlines"))
    with pytest.raises(tb.ClusterError, match="expected a printable path as ca_file"):
        connected("tls://127.0.0.1:9", profile=profile).__enter__()


def test_what_a_person_gives_in_python_may_run_commands():
    assert job_arguments(ClusterProfile(setup=["module load gcc"]))["job_script_prologue"][1:-1] == ["module load gcc"]


@pytest.mark.slow
def test_what_others_have_put_into_the_folder_that_dask_shares_is_left_alone(tmp_path, monkeypatch):
    shared = tmp_path / "dask-scratch-space"
    shared.mkdir(mode=0o777)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for lock in ("global.lock", "purge.lock"):
        (shared / lock).symlink_to(victim)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())
    with connected(workers=1) as client:
        folders = [*sys.path, *(path for paths in client.run(path_of_python).values() for path in paths)]
        assert str(shared) not in folders
        (used,) = set(tmp_path.iterdir()) - before
        assert used.stat().st_mode & 0o077 == 0
    assert victim.read_text() == "precious"
    assert set(tmp_path.iterdir()) == before


def path_of_python():
    return sys.path
