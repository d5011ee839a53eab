"""What a function computes with is compared whole: each change of it is one, and what it keeps for itself is none."""

import importlib
import json
import subprocess
import sys

import pytest

from twinbrain.function_state import given, state_of

F = "def f(run):\n    return h()\n"
ON = (
    "import collections, dataclasses, datetime, decimal, enum, functools, pathlib, re, types, typing\n"
    "import numpy as np\n"
)

# Text of a module, and what an edit puts in place of what in it.
EDITS = {
    "default": ("def f(run, limit=3):\n    return limit\n", "3", "5"),
    "default of a helper": ("def h(*, limit=3):\n    return limit\n" + F, "3", "5"),
    "default of a method": (
        "class C:\n    def g(self, x=3):\n        return x\ndef h():\n    return C().g()\n" + F,
        "3",
        "5",
    ),
    "field of a named tuple": (
        "class C(typing.NamedTuple):\n    x: int = 3\ndef h():\n    return C().x\n" + F,
        "3",
        "5",
    ),
    "field with slots": (
        "@dataclasses.dataclass(slots=True)\nclass C:\n    x: int = 3\ndef h():\n    return C().x\n" + F,
        "3",
        "5",
    ),
    "field that is made": (
        "@dataclasses.dataclass\nclass C:\n    x: list = dataclasses.field(default_factory=lambda: [3])\n"
        "def h():\n    return C().x\n" + F,
        "3",
        "5",
    ),
    "argument of a decorator": (
        "def times(k):\n    def d(g):\n        def w():\n            return k * g()\n        return w\n    return d\n"
        "@times(3)\ndef h():\n    return 1\n" + F,
        "(3)",
        "(5)",
    ),
    "partial": ("def g(x):\n    return x\nh = functools.partial(g, 3)\n" + F, "3", "5"),
    "attribute of a function": ("def h():\n    return h.k\nh.k = 3\n" + F, "3", "5"),
    "function of a library": ("h = np.mean\n" + F, "mean", "median"),
    "universal function": ("h = np.add\n" + F, "add", "subtract"),
    "built-in function": ("from math import sin as h\n" + F, "sin", "cos"),
    "module": ("import math as m\n" + "def f(run):\n    return m.sqrt(run)\n", "math", "cmath"),
    "which name means what": (
        "def a():\n    return 1\ndef b():\n    return 2\nlow, high = a, b\n"
        "def f(run):\n    return low() - 2 * high()\n",
        "= a, b",
        "= b, a",
    ),
    "table of functions": (
        "def a():\n    return 1\ndef b():\n    return 2\nT = {1: a, 2: b}\ndef f(run):\n    return T[1]()\n",
        "1: a, 2: b",
        "1: b, 2: a",
    ),
    "order of bases": (
        "class A:\n    def g(self):\n        return 1\nclass B:\n    def g(self):\n        return 2\n"
        "class H(A, B):\n    pass\ndef f(run):\n    return H().g()\n",
        "(A, B)",
        "(B, A)",
    ),
    "object": (
        "@dataclasses.dataclass(frozen=True)\nclass C:\n    x: int\nS = C(3)\ndef f(run):\n    return S.x\n",
        "(3)",
        "(5)",
    ),
    "method of an object": (
        "class C:\n    def __init__(self, x):\n        self.x = x\n    def g(self):\n        return self.x\n"
        "h = C(3).g\n" + F,
        "(3)",
        "(5)",
    ),
    "behind a vectorised function": ("h = np.vectorize(lambda: 3)\n" + F, "3", "5"),
    "one under a name of an argument": (
        "limit = 3\ndef h():\n    return limit\ndef f(run, limit=7):\n    return h()\n",
        "limit = 3",
        "limit = 5",
    ),
} | {
    f"value: {value}": (f"S = {value}\ndef f(run):\n    return S\n", "3", "5")
    for value in (
        "3",
        "[3]",
        "{'a': [3]}",
        "(1, [3])",
        "{3}",
        "types.SimpleNamespace(x=3)",
        "decimal.Decimal(3)",
        "datetime.timedelta(3)",
        "re.compile('3')",
        "slice(3)",
        "bytearray(b'3')",
        "pathlib.Path('/3')",
        "pathlib.Path(__file__).parent / '3'",
        "collections.OrderedDict(a=3)",
        "collections.deque([3])",
        "enum.Enum('E', {'a': 3}).a",
        "np.array([3.0])",
        "np.full(1_000_001, 3)",
        "np.array([(3, 1.0)], dtype=[('a', int), ('b', float)])",
        "np.array([3, 'a'], dtype=object)",
        "np.ma.array([3, 1], mask=[0, 1])",
        "__import__('xarray').DataArray([3.0], dims='x')",
        "__import__('pandas').Series([3.0])",
        "__import__('torch').tensor([3.0])",
        "__import__('brian2').Quantity(3.0)",
        "__import__('scipy.stats').stats.norm(3)",
    )
}


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
    text, before, after = EDITS[edit]
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
    "count": "n = 0\ndef f(run):\n    global n\n    n += 1\n",
    "count in another module": "import own_helper\ndef f(run):\n    own_helper.n += 1\n",
    "count of a class": "class S:\n    n = 0\ndef f(run):\n    S.n += 1\n",
    "cache": "T = {}\ndef f(run):\n    if 1 not in T:\n        T[1] = eval('lambda: 1')\n    return T[1]()\n",
    "list": "L = []\ndef f(run):\n    L.append(run)\n",
    "under another name": "L = []\ndef f(run):\n    mine = L\n    mine.append(run)\n",
    "buffer": "import numpy as np\nB = np.zeros(4)\ndef f(run):\n    B[:] = 1.0\n    B[0] += 1\n    return B.sum()\n",
    "object that counts": "class S:\n    n = 0\n    def __call__(self):\n        self.n += 1\ns = S()\n"
    "def f(run):\n    s()\n",
    "object that keeps": "class S:\n    def __init__(self):\n        self.t = {}\n"
    "    def put(self, x):\n        self.t[x] = x\ns = S()\ndef f(run):\n    s.put(1)\n",
    "functools": "import functools\n@functools.cache\ndef h(x):\n    return x\ndef f(run):\n    return h(1)\n",
    "vectorised": "import numpy as np\nh = np.vectorize(float)\ndef f(run):\n    return h(1)\n",
    "pattern": "import re\nP = re.compile('a')\ndef f(run):\n    return P.match('a')\n",
    "series": "import pandas as pd\nS = pd.Series([1, 2], index=['a', 'b'])\n"
    "def f(run):\n    return S['a'], S.index.is_unique\n",
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_a_function_keeps_for_itself_makes_it_no_other(load, kind):
    load("n = 0\n", "own_helper")
    function = load(KEPT[kind]).f
    before = state_of(function)
    function(1)
    assert state_of(function) == before


def test_states_are_the_same_in_every_process(tmp_path, load):
    """Each has an order of sets, and addresses, of its own."""
    values = [text.splitlines()[0] for kind, (text, _, _) in EDITS.items() if kind.startswith("value")]
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


def test_what_a_function_does_not_use_is_none_of_it(load):
    text = "used, other = 1, {}\ndef h():\n    return other\ndef f(run):\n    return used\n"
    assert state_of(load(text.format(1)).f) == state_of(load(text.format(2)).f)
