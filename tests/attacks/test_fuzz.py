"""The fuzzer, bounded: some mutated files of each kind. ``make fuzz`` runs it long."""

import subprocess
import sys

from tests.attacks.fuzz import fuzz, table
from tests.attacks.mutate import MUTATORS
from tests.attacks.seeds import KINDS, Kind


def test_a_mutated_file_is_read_or_refused_and_never_more():
    # In a process of its own: what it forks has no threads of other tests.
    kinds = [name for name, kind in KINDS.items() if not kind.threads]
    command = [sys.executable, "-m", "tests.attacks.fuzz", "--files", str(8 * len(kinds)), "--seed", "7", "--kinds"]
    done = subprocess.run([*command, *kinds], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counts = [int(cell) for cell in done.stdout.splitlines()[-1].split("|")[2:5]]
    assert counts[0] == counts[1] + counts[2] == 8 * len(kinds)
    assert counts[1] > counts[0] / 3  # most mutations matter


def test_the_fuzzer_tells_tracebacks_hangs_memory_and_code_apart():
    def read(folder):
        text = (folder / "a.txt").read_bytes()
        kind = len(text) % 4
        if kind == 0:
            raise KeyError("missing")
        if kind == 1:
            (folder / "canary").touch()
        if kind == 2:
            bytearray(3_000_000_000)

    tally = fuzz(Kind("odd", lambda folder: (folder / "a.txt").write_bytes(b"abc"), read, ("*.txt",)), 24, 0)
    assert tally.files == 24
    assert {fault.split()[0] for fault in tally.faults} == {"KeyError", "MemoryError"}
    assert tally.codes > 0
    assert tally.failed == sum(tally.faults.values()) + tally.codes
    assert "| odd | 24 | 0 |" in table({"odd": tally})


def test_every_seed_has_a_mutator_that_knows_its_format():
    assert {".toml", ".json", ".zip", ".npz", ".h5", ".nir"} <= set(MUTATORS)
