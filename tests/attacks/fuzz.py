"""A fuzzer: files of every kind are mutated, and each is read by a process of its own.

No mutated file may run code, end in anything but an error of this package, take ten seconds, or a gigabyte of memory.
Run it with ``python -m tests.attacks.fuzz --files 2000 --seed 0``; ``--kinds nir sonata`` takes some kinds alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.attacks.mutate import CANARY, mutate
from tests.attacks.seeds import KINDS, Kind
from twinbrain.errors import TwinbrainError

SECONDS = 10
MEMORY = 1_000_000_000
"""What reading a file may take beside what Python and the packages take (bytes)."""


@dataclass
class Tally:
    """What became of the mutated files of one kind."""

    files: int = 0
    refused: int = 0
    accepted: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    hangs: int = 0
    codes: int = 0
    peak: int = 0

    @property
    def failed(self) -> int:
        """How many did what none may."""
        return sum(self.faults.values()) + self.hangs + self.codes


def fuzz(kind: Kind, n_files: int, seed: int, keep: Path | None = None) -> Tally:
    """Mutate the seeds of a kind and read each.

    Parameters
    ----------
    kind : Kind
        What is read, and how.
    n_files : int
        How many mutated files.
    seed : int
        Names the mutations.
    keep : Path, optional
        Folder to which those that failed are copied.
    """
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        seeds = folder / "seeds"
        seeds.mkdir()
        _write_apart(kind, seeds)
        os.chdir(seeds)
        if not kind.threads:
            kind.read(seeds)  # what is imported, compiled and cached is so before the first is read
        for number in range(n_files):
            random = Random(f"{kind.name} {seed} {number}")
            case = folder / "case"
            shutil.copytree(seeds, case)
            chosen = random.choice(sorted(p for p in case.rglob("*") if p.is_file() and kind.mutates(p)))
            mutate(chosen, random)
            before = tally.failed
            _tally(tally, *_read_apart(kind, case), case)
            if keep is not None and tally.failed > before:
                shutil.copytree(case, keep / f"{kind.name}-{seed}-{number}", dirs_exist_ok=True)
            shutil.rmtree(case)
        os.chdir("/")
    return tally


def _write_apart(kind: Kind, folder: Path) -> None:
    """Write the seeds of a kind in a child, whose threads this process does not have then."""
    child = os.fork()
    if child == 0:
        try:
            kind.write(folder)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"the seeds of {kind.name} could not be written")


def _tally(tally: Tally, found: str, peak: int, case: Path) -> None:
    tally.files += 1
    tally.peak = max(tally.peak, peak)
    if (case / CANARY).exists():
        tally.codes += 1
    if found == "accepted":
        tally.accepted += 1
    elif found == "refused":
        tally.refused += 1
    elif found == "hang":
        tally.hangs += 1
    else:
        tally.faults[found] += 1


def _read_apart(kind: Kind, case: Path) -> tuple[str, int]:
    """Read a case in a child; return what became of it, and the memory that it took."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        before = _resident(peak=False)
        found = _outcome(kind, case)
        os.write(into, f"{_resident() - before} {found}".encode()[:2000])
        os._exit(0)
    os.close(into)
    ready, _, _ = select.select([out], [], [], SECONDS)
    found = os.read(out, 4096).decode(errors="replace") if ready else "0 hang"
    os.close(out)
    if not ready:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if ready and not found:
        found = f"0 killed by signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "0 ended without a word"
    taken, _, found = found.partition(" ")
    return found, max(int(taken), 0)


def _resident(*, peak: bool = True) -> int:
    """Return the most memory that this process has held; or begin to count anew, and return what it holds now."""
    if not peak:
        Path("/proc/self/clear_refs").write_text("5")
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM" if peak else "VmRSS"].split()[0]) * 1024


def _outcome(kind: Kind, case: Path) -> str:
    size = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    os.chdir(case)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    warnings.simplefilter("ignore")
    try:
        kind.read(case)
    except TwinbrainError:
        return "refused"
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = next((f for f in reversed(frames) if "/twinbrain/" in f.filename), frames[-1])
        return f"{type(error).__name__} at {Path(ours.filename).name}:{ours.lineno}: {str(error)[:160]}"
    return "accepted"


def table(tallies: dict[str, Tally]) -> str:
    """Return a table of what became of the files, kind by kind."""
    rows = ["| kind | files | refused | accepted | tracebacks | hangs | code run | memory (MB) |"]
    rows.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    total = Tally()
    for name, t in tallies.items():
        rows.append(_row(name, t))
        total.peak = max(total.peak, t.peak)
        for key in ("files", "refused", "accepted", "hangs", "codes"):
            setattr(total, key, getattr(total, key) + getattr(t, key))
        total.faults += t.faults
    return "\n".join([*rows, _row("all", total)])


def _row(name: str, t: Tally) -> str:
    faults = sum(t.faults.values())
    cells = (name, t.files, t.refused, t.accepted, faults, t.hangs, t.codes, round(t.peak / 1e6))
    return f"| {' | '.join(f'{cell:,}' if isinstance(cell, int) else cell for cell in cells)} |"


def main(arguments: Iterable[str] | None = None) -> int:
    """Run the fuzzer; return 1 if a file did what none may."""
    parser = argparse.ArgumentParser(description="Mutate files of every kind and read them.")
    parser.add_argument("--files", type=int, default=2000, help="how many, over all kinds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--keep", type=Path, help="folder for the files that failed")
    given = parser.parse_args(None if arguments is None else list(arguments))
    each = -(-given.files // len(given.kinds))
    keep = None if given.keep is None else given.keep.resolve()
    tallies = {}
    for name in given.kinds:
        tallies[name] = fuzz(KINDS[name], each, given.seed, keep)
        print(f"{name}: {tallies[name].failed} failed", file=sys.stderr, flush=True)
        for fault, n in tallies[name].faults.most_common():
            print(f"  {n} × {fault}", file=sys.stderr, flush=True)
    print(table(tallies))
    return int(any(t.failed for t in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
