"""Damage stores at random places, and see whether whoever reads or resumes them notices.

``python tests/attacks/damage.py`` prints a table of 200 places in each kind of store (``--places``, ``--seed``).
"""

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

sys.path.insert(0, str(Path(__file__).parents[2]))

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels
from twinbrain.store import Location, open_training_store, read_state, run_info
from twinbrain.store.sweep import SweepStore

DAMAGES = ("byte changed", "file cut short", "file deleted")
TASK = which_channels(n_trials=32, n_steps=20)
REGION = recurrent(drives=[tb.Drive(population="e", receptor="exponential_current", rate="1 kHz", weight="60 pA")])
RECORD = tb.Record(state=[tb.StateRecord(variable="v", neurons=4, interval="1 ms")])
TRAINING = {"epochs": 3, "batch_size": 16, "precision": "float64"}
SWEPT = {"seed": range(4), "drive_seed": range(3)}
# What differs between two that are alike.
_OF_TIME = ("seconds", "training_time")


@dataclass(frozen=True)
class Subject:
    """A store that is not complete, and what is to come of it.

    Parameters
    ----------
    path : Path
        The store.
    read : callable
        Reads all of it, and returns what is to compare.
    resume : callable
        Goes on with it to the end, and returns what is to compare.
    """

    path: Path
    read: object
    resume: object


class _Stop(Exception):
    """Stands for a process that is gone."""


def run(folder):
    """A run of which half is done."""
    options = {"duration": "60 ms", "window": "10 ms", "engine": "reference", "seed": 3, "record": RECORD}
    return Subject(
        _stopped(folder / "run.zarr", lambda path, stop: tb.simulate(REGION, out=path, progress=stop, **options), 350),
        _read_run,
        lambda path: _flat(_read_tree(tb.resume(path)), but="checkpoint"),
    )


def complete_run(folder):
    """A run that is complete."""
    subject = run(folder)
    tb.resume(subject.path)
    return Subject(subject.path, subject.read, subject.resume)


def sweep(folder, **options):
    """A sweep of which some batches are done."""
    swept = {"dt": "0.2 ms", **SWEPT, "reduce": ["mean_rates", "cv_isi"], "batch": 2, "workers": 0} | options
    brain = tb.Workflow(
        name="swept",
        brain=tb.load_workflow("single_region").brain.model_copy(update={"regions": {"*": REGION}}),
        run={"duration": "20 ms", "engine": "reference"},
    )
    return Subject(
        _stopped(folder / "sweep.zarr", lambda path, stop: tb.sweep(brain, out=path, progress=stop, **swept), 7),
        _read_sweep,
        lambda path: _flat({"/": tb.resume_sweep(path, workers=0).load()}),
    )


def kept_runs(folder):
    """A sweep that keeps its runs."""
    return sweep(folder, keep_runs=True, seed=range(3), drive_seed=[0], batch=1)


def training(folder):
    """A training of which two epochs of three are done."""
    return Subject(
        _stopped(
            folder / "training.zarr",
            lambda path, stop: tb.train(REGION, TASK, out=path, progress=stop, **TRAINING),
            2,
            what="train",
        ),
        _read_training,
        lambda path: _trained(tb.resume_training(path, task=TASK)),
    )


def complete_training(folder):
    """A training that is complete."""
    subject = training(folder)
    tb.resume_training(subject.path, task=TASK)
    return Subject(subject.path, subject.read, lambda path: _trained(tb.open_training(path, task=TASK)))


KINDS = {
    "run": run,
    "complete run": complete_run,
    "sweep": sweep,
    "sweep with runs": kept_runs,
    "training": training,
    "complete training": complete_training,
}


def attack(kind, folder, n_places, seed=0):
    """Damage a store of some kind at random places, one at a time.

    Returns
    -------
    Counter
        Of ``(damage, outcome)``; outcomes are those of `_outcomes`.
    list of str
        What went wrong, place by place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    subject = KINDS[kind](folder)
    whole = folder / "whole.zarr"
    read = subject.read(subject.path)
    shutil.copytree(subject.path, whole)
    resumed = subject.resume(whole)
    draw = np.random.default_rng([seed, len(kind)])
    found, wrong = Counter(), []
    for place in range(n_places):
        damaged = folder / "damaged.zarr"
        shutil.rmtree(damaged, ignore_errors=True)
        shutil.copytree(subject.path, damaged)
        damage = DAMAGES[place % len(DAMAGES)]
        key = _damage(damaged, damage, draw)
        for outcome in _outcomes(subject, damaged, key, read, resumed):
            found[damage, outcome.split(":")[0]] += 1
            if outcome.split(":")[0] in WRONG:
                wrong.append(f"{kind}, {damage}, {key}: {outcome}")
    return found, wrong


NAMED, UNSEEN, REFUSED, RIGHT = "noticed and named", "without effect", "not resumed", "resumed to the same"
LISTED, CLEAN = "listed by check", "not listed by check"
WRONG = ("read as other values", "a traceback", "resumed to something else", "not named", "missed by check")


def _outcomes(subject, path, key, read, resumed):
    """Yield what becomes of reading, of checking, and of resuming."""
    try:
        effect = not _same(subject.read(path), read)
        yield "read as other values" if effect else UNSEEN
        noticed = False
    except tb.StoreError as error:
        noticed = True
        yield NAMED if key in str(error) else f"not named: {error}"
    except Exception as error:
        noticed = True
        yield f"a traceback: {type(error).__name__}: {error}"
    try:
        listed = any(damage.place.endswith(key) for damage in tb.check_store(path).damaged)
    except tb.StoreError as error:
        listed = key in str(error)
    yield LISTED if listed else "missed by check" if noticed else CLEAN
    try:
        yield RIGHT if _same(subject.resume(path), resumed) else "resumed to something else"
    except tb.StoreError:
        yield REFUSED
    except Exception as error:
        yield f"a traceback: {type(error).__name__}: {error}"


def _damage(path, damage, draw):
    """Damage a file of a store: of every file alike, or of every byte; return its key."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    sizes = np.array([file.stat().st_size for file in files], float)
    file = files[draw.choice(len(files), p=sizes / sizes.sum() if draw.random() < 0.5 else None)]
    data = bytearray(file.read_bytes())
    if damage == "file deleted":
        file.unlink()
    elif damage == "file cut short":
        file.write_bytes(data[: draw.integers(len(data))])
    else:
        data[draw.integers(len(data))] ^= draw.integers(1, 256)
        file.write_bytes(data)
    return str(file.relative_to(path))


def _stopped(path, begin, at, what=None):
    """Begin something that is asked to stop, or dies, when so much of it is done."""

    def stop(*told):
        if len(told) == 1:  # of a sweep
            if told[0].done >= at:
                signal.raise_signal(signal.SIGINT)
        elif told[0] == (what or "simulate") and told[1] >= at:
            if what:
                raise _Stop
            signal.raise_signal(signal.SIGINT)

    with contextlib.suppress(tb.RunInterrupted, _Stop):
        begin(path, stop)
    return path


def _read_run(path):
    state = read_state(path)
    tree = _read_tree(tb.open_run(path))
    facts = {name: value for name, value in run_info(path).to_dict().items() if "bytes" not in name and name != "path"}
    return _flat(tree) | {"state": repr(state and (state.step, sorted(state.variables)))} | {"info": repr(facts)}


def _read_tree(tree):
    return {node.path: node.to_dataset(inherit=False).load() for node in tree.subtree}


def _read_sweep(path):
    store = SweepStore(Location.of(path))
    found = _flat({"/": tb.open_sweep(path).load(), "connectome": store.connectome()})
    kept = path / "runs"
    for name in ("000000.zarr", "000001.zarr") if kept.exists() else ():
        found |= {f"{name} {key}": value for key, value in _read_run(kept / name).items()}
    return found


def _read_training(path):
    kept = open_training_store(Location.of(path))
    datasets = {"curves": kept.curves(), "connectome": kept.group("connectome")}
    found = _flat(datasets) | {f"state {name}": value for name, value in (kept.state() or {}).items()}
    if kept.attributes["status"] == "complete":
        found |= {f"trained {name}": value for name, value in kept.trained().items()}
        found |= _flat({"responses": kept.group("responses")})
    return found | {"attributes": repr(sorted(kept.attributes.items()))}


def _trained(trained):
    return _flat({"curves": trained.curves}) | {"model": trained.model.digest}


def _flat(datasets, but="\0"):
    """Return datasets as arrays by their names."""
    return {
        f"{path} {name}": variable.values
        for path, dataset in datasets.items()
        for name, variable in dataset.variables.items()
        if name not in _OF_TIME and but not in path
    }


def _same(one, other):
    return one.keys() == other.keys() and all(
        value == other[name] if isinstance(value, str) else _equal(value, other[name]) for name, value in one.items()
    )


def _equal(one, other):
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def plain(path, key, before):
    """Return what plain xarray makes of a store: an error, the same values, or others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with xr.open_datatree(path, engine="zarr") as tree:
                return "without effect" if _same(_flat(_read_tree(tree)), before) else "read as other values"
        except Exception:
            return "an error"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    given = parser.parse_args()
    bad = []
    print("| store | damage | places | " + " | ".join((NAMED, UNSEEN, LISTED, REFUSED, RIGHT, "wrong")) + " |")
    print("| --- " * 9 + "|")
    for kind in given.kinds:
        with tempfile.TemporaryDirectory() as folder:
            found, wrong = attack(kind, Path(folder), given.places, given.seed)
        bad += wrong
        for damage in DAMAGES:
            counts = [found[damage, outcome] for outcome in (NAMED, UNSEEN, LISTED, REFUSED, RIGHT)]
            n_wrong = sum(n for (own, outcome), n in found.items() if own == damage and outcome in WRONG)
            n = (
                found[damage, REFUSED]
                + found[damage, RIGHT]
                + sum(found[damage, outcome] for outcome in ("resumed to something else",))
            )
            print(f"| {kind} | {damage} | {n} | " + " | ".join(map(str, [*counts, n_wrong])) + " |", flush=True)
    print(*bad, sep="\n")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
