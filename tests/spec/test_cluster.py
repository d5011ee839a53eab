import pytest

import twinbrain as tb
from twinbrain.cli import main
from twinbrain.spec.cluster import ClusterProfile
from twinbrain.spec.load import load_profile

PROFILE = """
queue = "main"
walltime = "1-12:00:00"
memory = "16 GB"
cores = 4
workers = 32
minimum = 4
directives = ["--constraint=skylake"]
"""


def test_a_profile_is_read_from_a_file(tmp_path):
    (tmp_path / "lab.toml").write_text(PROFILE)
    (tmp_path / "setup.sh").write_text("module load gcc\n")
    profile = load_profile(tmp_path / "lab.toml", tmp_path / "setup.sh")
    assert profile.walltime == 36 * 3_600_000
    assert profile.setup == ("module load gcc",)
    assert profile.workers_per_job == 4
    assert ClusterProfile.parse(profile.to_dict()) == profile


@pytest.mark.parametrize("walltime", ["90 min", "1.5 h", "01:30:00"])
def test_a_walltime_is_a_duration_or_what_slurm_writes(walltime):
    assert ClusterProfile(walltime=walltime).walltime == 5_400_000


def test_a_job_with_a_gpu_holds_one_worker():
    assert ClusterProfile(gpus=1, cores=8).workers_per_job == 1


@pytest.mark.parametrize(
    ("cores", "workers", "per_job"), [(4, 1, 1), (4, 64, 4), (4, 6, 3), (4, 7, 1), (1, 5, 1), (8, 4, 4)]
)
def test_jobs_hold_as_many_workers_as_are_wanted_and_none_beyond(cores, workers, per_job):
    for profile in (
        ClusterProfile(cores=cores, workers=workers).of_workers(),
        ClusterProfile(cores=cores).of_workers(workers),
    ):
        assert (profile.workers, profile.workers_per_job) == (workers, per_job)
        assert workers % per_job == 0
    with_gpus = ClusterProfile(gpus=1, cores=8, workers=9, minimum=5).of_workers(3)
    assert (with_gpus.workers_per_job, with_gpus.cores, with_gpus.minimum) == (1, 8, 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"que": "main"}, "lab.toml: que: unknown key 'que'; did you mean 'queue'?"),
        ({"walltime": "10"}, "walltime: expected a quantity in ms, found '10' without a unit; write \"10 ms\""),
        ({"walltime": "10 s"}, 'walltime: expected at least "1 min", found 10 s'),
        ({"walltime": "2:00"}, "walltime: expected a number with a unit such as \"10 ms\", found '2:00'"),
        ({"memory": "lots"}, "memory: expected an amount of memory such as \"16 GB\", found 'lots'"),
        (
            {"memory": "0 GB"},
            "memory: expected more than none, found '0 GB', which Slurm takes for all memory of a node",
        ),
        ({"queue": "-x"}, "queue: expected letters, digits and any of . , : @ + - _, and no - at first, found '-x'"),
        ({"interface": "--help"}, "and no - at first, found '--help'"),
        ({"logs": "-x"}, "and no - at first, found '-x'"),
        ({"cores": 0}, "cores: input should be greater than or equal to 1, found 0"),
        ({"gpus": 2}, "gpus: expected 0 or 1, found 2; a job holds one worker"),
        ({"workers": 2, "minimum": 3}, "minimum: expected at most the 2 of workers, found 3"),
        ({"directives": ["--clusters=other"]}, "jobs of others cannot be looked after: start on a login node of that"),
        ({"setup": "module load gcc"}, "setup: input should be a valid tuple, found 'module load gcc'"),
    ],
)
def test_faults_of_a_profile_are_named(data, message):
    with pytest.raises(tb.SpecError) as caught:
        ClusterProfile.parse(data, "lab.toml")
    assert message in str(caught.value)


def test_all_faults_are_named_at_once():
    with pytest.raises(tb.SpecError) as caught:
        ClusterProfile.parse({"que": "main", "memory": "lots", "gpus": -1})
    assert len(caught.value.problems) == 3


def test_validate_recognises_a_profile(tmp_path, monkeypatch, capsys):
    (tmp_path / "lab.toml").write_text(PROFILE)
    (tmp_path / "wrong.toml").write_text(PROFILE + "que = 1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["twinbrain", "validate", "lab.toml", "wrong.toml"])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr()
    assert printed.out == "lab.toml: right\n"
    assert "wrong.toml: que: unknown key 'que'; did you mean 'queue'?" in printed.err
