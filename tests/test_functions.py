"""Functions of a person's own: found, described, and compared with what a store says of them."""

import functools
import hashlib
import pickle
import subprocess
import sys

import cloudpickle
import pytest

import twinbrain as tb
from twinbrain.functions import check_functions, described, function_of

OWN = """
from dataclasses import dataclass

from beside import factor

@dataclass
class Pair:
    one: int

def double(x):
    return Pair(x).one * factor
"""


@pytest.fixture
def own(tmp_path):
    (tmp_path / "beside.py").write_text("factor = 2")
    (tmp_path / "own.py").write_text(OWN)
    return tmp_path / "own.py"


def test_a_function_of_a_file_is_found_with_what_lies_beside_it(own):
    before = list(sys.path)
    assert function_of(f"{own}:double", "--own")(4) == 8
    assert sys.path == before


def test_a_function_of_an_installed_module_is_found():
    assert function_of("twinbrain.functions:described", "--own") is described


def test_a_function_of_a_file_travels_to_a_process_that_has_no_such_file(tmp_path):
    (tmp_path / "own.py").write_text("def double(x):\n    return 2 * x\n")
    data = cloudpickle.dumps(function_of(f"{tmp_path}/own.py:double", "--own"))
    (tmp_path / "own.py").unlink()
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer)(4))"
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout == b"8\n"


def test_a_function_is_described_by_its_name_and_the_digest_of_its_file(own):
    double = function_of(f"{own}:double", "--own")
    digest = hashlib.sha256(OWN.encode()).hexdigest()
    assert described(double) == {"function": "double", "file": "own.py", "sha256": digest}
    assert described(functools.partial(double, 1)) == described(double)


def test_a_function_of_a_script_is_described_by_its_own_text(tmp_path):
    code = "from twinbrain.functions import described\n\ndef one():\n    return 1\n\nprint(described(one))\n"
    digests = []
    for more in ("", "two = 2\n"):
        (tmp_path / "script.py").write_text(code + more)
        done = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=True)
        digests.append(done.stdout)
    assert digests[0] == digests[1]
    assert hashlib.sha256(b"def one():\n    return 1\n").hexdigest() in digests[0]


def test_what_has_no_text_has_no_digest():
    assert described(len) == {"function": "len", "file": "", "sha256": ""}
    check_functions({"len": described(len)}, {"len": max}, "--own", "here")


def test_functions_that_are_missing_others_or_too_many_are_told_at_once():
    kept = {name: {"function": name, "file": "own.py", "sha256": "0" * 64} for name in ("f", "g")}
    with pytest.raises(tb.SpecError) as caught:
        check_functions(kept, {"f": described, "h": described}, "--own", "a store")
    first, second, third = map(str, caught.value.problems)
    assert (
        "a store: expected the function 'f' as it was when this was begun (sha256 of own.py: 0000000000000000…)"
        in first
    )
    assert "expected the function 'g' with which this was begun, found none" in second
    assert "give it with --own own.py:g" in second
    assert "expected no function 'h', with which this was not begun" in third


def test_what_a_store_says_of_a_function_is_no_command_where_it_is_shown():
    kept = {"f\x1b[2J": {"function": "f", "file": "/elsewhere/$(touch attacked) own.py", "sha256": ""}}
    with pytest.raises(tb.SpecError) as caught:
        check_functions(kept, {}, "--own", "a store")
    assert r"give it with --own '$(touch attacked) own.py:f\x1b[2J', or" in str(caught.value)


def test_a_description_is_data():
    assert pickle.loads(pickle.dumps(described(described))) == described(described)
