"""What ``--json`` keeps of standard output."""

import subprocess
import sys

PROGRAM = """
import os, subprocess, sys
from twinbrain.cli.console import say_json
from twinbrain.cli.data import kept_for_data

before = sys.stdout
with kept_for_data():
    print("by python")
    print("by a stream that was kept", file=before)
    os.write(1, b"by number")
    subprocess.run(["echo", "by a child"], check=True)
    say_json({"x": 1})
print("afterwards")
"""


def test_standard_output_has_the_data_alone_whoever_prints_meanwhile():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == '{"x": 1}\nafterwards\n'
    for text in ("by python", "by a stream that was kept", "by number", "by a child"):
        assert text in done.stderr
