"""Without an extra, what needs it says which one to install; its tests are skipped by name."""

import subprocess
import sys
from pathlib import Path

import pytest

import twinbrain as tb

WITHOUT_TORCH = "import sys; sys.modules.update(torch=None, snntorch=None)\n"
CALLS = {
    "tb.train": "import twinbrain as tb; tb.train",
    "tb.spiking_cell": "import twinbrain as tb; tb.spiking_cell",
    "tb.open_training": "from twinbrain import open_training",
}


def run(program, *arguments):
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=200)


@pytest.mark.parametrize("name", CALLS)
def test_a_function_that_needs_pytorch_names_its_extra(name):
    done = run(WITHOUT_TORCH + CALLS[name])
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("twinbrain.errors.MissingPackageError: expected the package ")
    assert last.endswith('pip install "twinbrain[train]"')


@pytest.mark.parametrize(
    "command",
    [
        "train digits",
        *(
            pytest.param(other, marks=pytest.mark.slow)
            for other in ("run diversity", "plan digits", "validate workflows/digits.toml")
        ),
    ],
)
def test_a_command_that_needs_pytorch_names_its_extra(command):
    program = f"{WITHOUT_TORCH}sys.argv[0] = 'twinbrain'\nfrom twinbrain.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *command.split()],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert 'pip install "twinbrain[train]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_another_module_that_is_missing_is_no_matter_of_extras():
    from twinbrain.extras import named

    error = ModuleNotFoundError("No module named 'my_module'", name="my_module")
    assert named(error) is error
    assert isinstance(named(ModuleNotFoundError("", name="torch.nn")), tb.MissingPackageError)


def test_tests_without_pytorch_or_boto3_are_skipped_by_name():
    program = "import sys, pytest; sys.modules.update(torch=None, boto3=None); sys.exit(pytest.main(sys.argv[1:]))"
    files = ["tests/learn/metrics/test_operations.py", "tests/learn/test_lesion.py", "tests/store/test_s3.py"]
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program, "-q", "-rs", "-p", "no:cacheprovider", *files],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode in (0, 5), done.stdout + done.stderr
    assert "needs the package torch, of the extra train" in done.stdout
    assert "needs the package boto3, of the extra dev" in done.stdout
    assert "error" not in done.stdout.lower()
