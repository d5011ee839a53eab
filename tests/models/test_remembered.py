"""Step programs are kept for other processes, and derived anew whenever what is kept cannot be used."""

import json

import pytest

from twinbrain.models import observed as observing
from twinbrain.models import step
from twinbrain.models.library import neuron_model, receptor_model
from twinbrain.models.observed import observed, observed_names
from twinbrain.models.step import StepProgram, step_program


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The folder of kept programs, in a process that knows none."""
    monkeypatch.setenv("TWINBRAIN_CACHE_DIR", str(tmp_path))
    step._remembered.cache_clear()
    yield tmp_path / "programs"
    step._remembered.cache_clear()


@pytest.fixture
def derived(monkeypatch):
    """The models whose program was derived."""
    found = []
    derive = step._step_program
    monkeypatch.setattr(step, "_step_program", lambda key: found.append(key) or derive(key))
    return found


def program():
    """Return a program as a new process finds it."""
    step._remembered.cache_clear()
    return step_program(neuron_model("adex"), {"ampa": receptor_model("ampa")})


def test_a_program_is_derived_once_and_read_back_the_same(kept, derived):
    first = program()
    assert len(list(kept.iterdir())) == len(derived) == 1
    second = program()
    assert len(derived) == 1
    assert isinstance(second, StepProgram)
    assert second == first
    assert list(second.constants) == list(first.constants)
    assert list(second.parameters) == list(first.parameters)


def test_another_model_has_another_program(kept, derived):
    program()
    step_program(neuron_model("adex"), {})
    assert len(list(kept.iterdir())) == len(derived) == 2


def test_a_process_that_knows_a_model_reads_what_can_be_observed_without_deriving_it(kept, monkeypatch):
    adex, receptors = neuron_model("adex"), {"ampa": receptor_model("ampa")}

    def read():
        observing._observed_names.cache_clear(), observing._observed.cache_clear()
        return observed_names(adex, receptors), observed(adex, receptors, "I_ampa")

    first = read()
    assert "I_ampa" in first[0]
    monkeypatch.setattr(observing, "combine", None)
    observing._equations.cache_clear()
    assert read() == first


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"state": ["v"]}), "\0"])
def test_a_damaged_program_is_derived_anew_and_mended(kept, derived, content):
    expected = program()
    (file,) = kept.iterdir()
    whole = file.read_text()
    file.write_text(content)
    assert program() == expected
    assert len(derived) == 2
    assert file.read_text() == whole


@pytest.mark.parametrize(("part", "other"), [('"v"', '"w"'), ('["', '[7, "'), ("{", "{ ")])
def test_a_program_of_other_names_or_types_is_derived_anew(kept, derived, part, other):
    expected = program()
    (file,) = kept.iterdir()
    whole = file.read_text()
    file.write_text(whole.replace(part, other))
    assert program() == expected
    assert file.read_text() == whole


def test_a_folder_that_cannot_be_written_costs_time_alone(kept, derived, tmp_path):
    (tmp_path / "programs").write_text("a file where the folder should be")
    assert program() == program()
    assert len(derived) == 2
