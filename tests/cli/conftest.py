import sys
from typing import NamedTuple

import pytest

from twinbrain.cli import main

WEIGHTS = "to\tCX-0\tCX-1\tTH-0\nCX-0\t0\t2\t1\nCX-1\t1\t0\t2\nTH-0\t1\t1\t0\n"
LENGTHS = "to\tCX-0\tCX-1\tTH-0\nCX-0\t0\t20\t10\nCX-1\t20\t0\t15\nTH-0\t10\t15\t0\n"

REGION = """
name = "test/pair"

[cells.cell]
model = "lif_current"
receptors = ["exponential_current"]
parameters = { t_ref = "2 ms" }

[populations]
exc = { cell = "cell", size = 8 }
inh = { cell = "cell", size = 4, transmitter = "gaba" }

[[projections]]
source = "exc"
target = "inh"
receptor = "exponential_current"
connect = { probability = 0.5 }
weight = "200 pA"
delay = "1.5 ms"

[[drives]]
population = "exc"
receptor = "exponential_current"
rate = "1 kHz"
weight = "500 pA"

[ports]
outputs = ["exc"]
inputs = { exc = { share = 1, glutamate = "exponential_current" } }
"""

WORKFLOW = """
summary = "Three regions of twelve neurons."

[run]
duration = "40 ms"
window = "20 ms"
engine = "reference"

[brain]
connectome = "weights.tsv"

[brain.regions]
"*" = "pair.toml"

[brain.long_range]
in_degree = 2
weight = "100 pA"

[[stimuli]]
name = "pulse"
regions = "TH-*"
population = "exc"
receptor = "exponential_current"
rate = "2 kHz"
weight = "500 pA"
start = "10 ms"
duration = "5 ms"

[[record.state]]
variable = "v"
"""


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a workflow, ``small.toml``, and all that it needs."""
    files = {"weights.tsv": WEIGHTS, "weights_length.tsv": LENGTHS, "pair.toml": REGION, "small.toml": WORKFLOW}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")  # tables are as wide as they need be
    return tmp_path


@pytest.fixture
def edit(folder):
    """Replace a text, which is there once, in one of the files."""

    def replace(name, before, after):
        text = (folder / name).read_text()
        assert text.count(before) == 1
        (folder / name).write_text(text.replace(before, after))

    return replace


@pytest.fixture
def twinbrain(folder, monkeypatch, capsys):
    """Run a command line in the folder; it may end in no other way than by an exit code."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["twinbrain", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def refused(twinbrain):
    """Run a command line that ends with exit code 2 and one message, which holds each of the texts."""

    def call(arguments, *texts):
        outcome = twinbrain(*arguments)
        assert outcome.code == 2, outcome
        assert outcome.err.startswith("error: ")
        assert outcome.err.count("error: ") == 1
        assert "Traceback" not in outcome.out + outcome.err
        for text in texts:
            assert text in outcome.err
        return outcome.err

    return call
