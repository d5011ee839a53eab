"""Counts and times of absurd size are refused before anything of that size is made."""

import contextlib
import tracemalloc

import pytest

import twinbrain as tb
from tests.attacks.seeds import REGION, WORKFLOW, write_workflow
from twinbrain.cli.contents import _validate as validate
from twinbrain.run.prepare import prepare

CASES = [
    *(
        (REGION, old, new.format(n))
        for n in (10**12, 2 * 10**9, 10**400)
        for old, new in (
            ("size = 3", "size = {}"),
            ("probability = 0.5", "in_degree = {}"),
            ("probability = 0.5", "out_degree = {}"),
            ("probability = 0.5", "total = {}"),
        )
    ),
    *(
        (WORKFLOW, old, new.format(n))
        for n in (10**12, 2 * 10**9, 10**400)
        for old, new in (
            ("in_degree = 2", "in_degree = {}"),
            ("scale = 1.0", "scale = {}"),
        )
    ),
    *(
        (WORKFLOW, old, new)
        for old, new in (
            ('duration = "20 ms"', 'duration = "1e12 s"'),
            ('dt = "0.1 ms"', 'dt = "1e-12 ms"'),
            ('rate_bin = "1 ms"', 'rate_bin = "1e300 s"'),
            ('rate = "50 Hz"', 'rate = "1e15 Hz"'),
            ("seed = 3", f"seed = {10**400}"),
        )
    ),
    (REGION, 'rate = "100 Hz"', 'rate = "1e300 Hz"'),
    (REGION, 'delay = "1.5 ms"', 'delay = "1e300 s"'),
]


@pytest.fixture(scope="module", autouse=True)
def imported(tmp_path_factory):
    """What the right workflow takes, imported and derived before memory is traced, which is slow."""
    folder = tmp_path_factory.mktemp("right")
    write_workflow(folder)
    with contextlib.chdir(folder):
        validate(folder / "workflow.toml")


@pytest.mark.parametrize(("text", "old", "new"), CASES, ids=[f"{new[:30]}" for _, _, new in CASES])
def test_a_count_without_sense_is_one_error_and_takes_no_memory(tmp_path, monkeypatch, text, old, new):
    monkeypatch.chdir(tmp_path)
    write_workflow(tmp_path)
    assert old in text
    (tmp_path / ("region.toml" if text is REGION else "workflow.toml")).write_text(text.replace(old, new))
    tracemalloc.start()
    try:
        with pytest.raises(tb.TwinbrainError):
            validate(tmp_path / "workflow.toml")
        with pytest.raises(tb.TwinbrainError):  # so does a plan
            tb.simulate(tmp_path / "workflow.toml", out=tmp_path / "run.zarr")
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_populations_that_pass_alone_are_counted_together(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_workflow(tmp_path)
    (tmp_path / "region.toml").write_text(REGION.replace("size = 3", f"size = {2**31 - 1}"))
    with pytest.raises(tb.SpecError, match=r"expected at most 2,147,483,647 neurons in all, found 6,442,450,9"):
        prepare(tb.load_workflow("workflow.toml"))
