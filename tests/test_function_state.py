"""What a function computes with is compared whole: each change of it is one, and what it keeps for itself is none."""

import importlib
import json
import subprocess
import sys

import pytest

from tests.edits import EDITS, ON, TOLD
from twinbrain.function_state import called, given, state_of


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Import a module from a text, in place of one that was imported from another."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # taken for that of an edit within a second

    def call(text, name="own_state"):
        (tmp_path / f"{name}.py").write_text(text)
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield call
    for name in ("own_state", "own_helper"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_what_a_function_uses_makes_it_another(load, edit):
    text, (before, after) = EDITS[edit], TOLD.get(edit, ("3", "5"))
    first, again = (state_of(load(ON + text).f) for _ in range(2))
    assert first == again
    assert all(digest for names in first.values() for digest in names.values())
    assert state_of(load(ON + text.replace(before, after, 1)).f) != first


@pytest.mark.parametrize(
    "change",
    ["limit = 5.0", "settings.x = 5.0", "table['a'] = 5.0", "configure(5.0)", "g = float", "settings.put(5.0)"],
)
def test_what_a_person_sets_in_a_module_is_told_by_its_name(load, change):
    settings = "class S:\n    x = 1.0\n    def put(self, x):\n        self.x = x\nsettings = S()\n"
    others = "limit, table, g = 1.0, {'a': 1.0}, int\ndef configure(x):\n    global limit\n    limit = x\n"
    helper = load(settings + others, "own_helper")
    module = load("import own_helper as h\ndef f(run):\n    return h.limit, h.settings.x, h.table['a'], h.g\n")
    before = given(state_of(module.f))
    exec(change, vars(helper))
    after = given(state_of(module.f))
    name = {"configure(5.0)": "limit"}.get(change, change.split()[0].split(".")[0].split("[")[0])
    assert [key for key in before if before[key] != after[key]] == [f"own_helper.{name}"]


KEPT = {
    "count": """
n = 0
def f(run):
    global n
    n += 1
""",
    "count in another module": """
import own_helper
def f(run):
    own_helper.n += 1
""",
    "count of a class": """
class S:
    n = 0
def f(run):
    S.n += 1
""",
    "cache": """
T = {}
def f(run):
    if 1 not in T:
        T[1] = eval('lambda: 1')
    return T[1]()
""",
    "lock": """
import threading
L = threading.Lock()
def f(run):
    L.acquire()
""",
    "list": """
L = []
def f(run):
    L.append(run)
""",
    "under another name": """
L = []
def f(run):
    mine = L
    mine.append(run)
""",
    "buffer": """
import numpy as np
B = np.zeros(4)
def f(run):
    B[:] = 1.0
    B[0] += 1
    return B.sum()
""",
    "object that counts": """
class S:
    n = 0
    def __call__(self):
        self.n += 1
s = S()
def f(run):
    s()
""",
    "object that keeps": """
class S:
    def __init__(self):
        self.t = {}
    def put(self, x):
        self.t[x] = x
s = S()
def f(run):
    s.put(1)
""",
    "functools": """
import functools
@functools.cache
def h(x):
    return x
def f(run):
    return h(1)
""",
    "vectorised": """
import numpy as np
h = np.vectorize(float)
def f(run):
    return h(1)
""",
    "pattern": """
import re
P = re.compile('a')
def f(run):
    return P.match('a')
""",
    "series": """
import pandas as pd
S = pd.Series([1, 2], index=['a', 'b'])
def f(run):
    return S['a'], S.index.is_unique
""",
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_a_function_keeps_for_itself_makes_it_no_other(load, kind):
    load("n = 0\n", "own_helper")
    function = load(KEPT[kind]).f
    before = state_of(function)
    function(1)
    assert state_of(function) == before


CHANGED = {
    "object": """
class F:
    kept = None
    def __call__(self, run):
        vars(self)['kept'] = 1
f = F()
""",
    "attribute": """
def f(run):
    f.calls += 1
f.calls = 0
""",
    "default": """
def f(run, cache={}):
    cache[1] = 1
""",
    "closure": """
def make():
    n = 0
    def f(run):
        nonlocal n
        n += 1
    return f
f = make()
""",
    "table that makes what it lacks": """
import collections
G = collections.defaultdict(int)
def f(run):
    return G[1]
""",
    "attributes by name": """
class S:
    n = 0
def f(run):
    setattr(S, 'n', S.n + 1)
""",
    "what a library puts": """
import heapq
H = []
def f(run):
    heapq.heappush(H, 1)
""",
    "what is there from then on": """
import own_helper
def f(run):
    vars(own_helper)['m'] = 1
    return own_helper.m
""",
}


@pytest.mark.parametrize("kind", CHANGED)
def test_what_calls_change_counts_as_before_and_what_a_person_changes_does_not(load, kind):
    load("n = 0\n", "own_helper")
    function = load(CHANGED[kind]).f
    before = state_of(function)
    for _ in range(2):
        with called(function):
            function(1)
        assert state_of(function) == before
    other = load(ON + "S = [1]\ndef f(run):\n    return S\n")
    before = state_of(other.f)
    with called(other.f):
        other.f(1)
    other.S.append(2)
    assert state_of(other.f) != before


def test_states_are_the_same_in_every_process(tmp_path, load):
    """Each has an order of sets, and addresses, of its own."""
    values = [text.splitlines()[0] for text in EDITS.values() if text.startswith("S")]
    lines = [f"V{i}{value.removeprefix('S')}" for i, value in enumerate(values)]
    lines += ["def make(x):\n    class S:\n        limit = x\n    return S", *(f"K{i} = make({i})" for i in range(6))]
    lines += ["class E(enum.Enum):\n    A = object()\n    B = functools.partial(np.mean)", "A = E.A", "B = E.B"]
    lines += ["W = {'b', 'a', 'c'}", "G = np.random.default_rng(1)"]
    used = ", ".join(line.partition(" = ")[0] for line in lines if line[0].isupper())
    here = state_of(load(ON + "\n".join(lines) + f"\ndef f(run):\n    return {used}\n").f)
    code = (
        "import json, own_state as o; from twinbrain.function_state import state_of; print(json.dumps(state_of(o.f)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(done.stdout) == here
    unknown = [name for name, digest in here["own_state"].items() if not digest]
    assert unknown == ["G"]  # generators of random numbers move on at every use


def test_a_helper_may_have_the_name_of_a_module_of_python(load):
    text = "import trace\ndef f(run):\n    return trace.peak\n"
    before = sys.modules.pop("trace", None)
    try:
        one, other = (load(f"peak = {n}\n", "trace") and state_of(load(text).f) for n in (1, 2))
    finally:
        sys.modules.pop("trace", None)
        if before is not None:
            sys.modules["trace"] = before
    assert one["trace"] != other["trace"]


def test_objects_that_all_hold_each_other_are_told_in_time_as_what_has_no_digest(load):
    text = "class N:\n    pass\nS = [N() for _ in range(30)]\nfor n in S:\n    n.s = [o for o in S if o is not n]\n"
    assert state_of(load(text + "def f(run):\n    return S\n").f)["own_state"]["S"] == ""
    assert state_of(load("S = [0.5] * 100_000\ndef f(run):\n    return S\n").f)["own_state"]["S"]


def test_a_module_that_is_a_value_has_no_digest(load):
    load("n = 0\n", "own_helper")
    assert state_of(load("import own_helper\ndef f(run, m=own_helper):\n    return m.n\n").f)[""]["m"] == ""


def test_what_a_function_does_not_use_is_none_of_it(load):
    text = "used, other = 1, {}\ndef h():\n    return other\ndef f(run):\n    return used\n"
    assert state_of(load(text.format(1)).f) == state_of(load(text.format(2)).f)
