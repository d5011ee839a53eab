import pickle

import pytest

import twinbrain as tb
from tests.exchange.models import leaky_data
from twinbrain.errors import Problem
from twinbrain.spec.region import Region

LONG = "n" * 100_000


def in_a_table(folder):
    (folder / "a.csv").write_text(f",A,B\nA,0,{LONG}\nB,1,0\n")
    tb.read_connectome(folder / "a.csv")


def as_a_key(folder):
    Region.parse(leaky_data() | {LONG: 1})


def as_a_region(folder):
    tb.load_region(LONG)


@pytest.mark.parametrize("name", [in_a_table, as_a_key, as_a_region])
def test_a_name_without_end_is_told_by_its_beginning_and_its_end(name, tmp_path):
    with pytest.raises(tb.TwinbrainError) as caught:
        name(tmp_path)
    assert "nnn…nnn" in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_every_problem_of_many_is_told_to_its_limit():
    words = "word " * 10_000
    error = tb.SpecError([Problem("a", words), Problem("b", "expected b")])
    assert str(error).endswith("…\nb: expected b")
    assert len(str(error)) < 13_000
    assert error.problems[0].message == words


@pytest.mark.parametrize("kind", [tb.StoreError, tb.SpecError, tb.ConnectomeError, tb.RunInterrupted])
def test_other_messages_are_told_whole(kind):
    text = f"/{'a/' * 150}: expected a file, found none"
    assert str(kind(text)) == text
    assert str(pickle.loads(pickle.dumps(kind(text)))) == text
