"""Functions of a person's own: found, described, and compared with what a store says of them."""

import functools
import hashlib
import importlib
import json
import pickle
import subprocess
import sys

import cloudpickle
import numpy as np
import pytest
import xarray as xr

import twinbrain as tb
from twinbrain.function_state import given, state_of
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


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("import sys; sys.exit(0)", r"own\.py ends the process \(SystemExit: 0\)"),
        ("undefined", r"NameError: name 'undefined' is not defined \(.*own\.py:1\)"),
    ],
)
def test_a_file_that_cannot_be_run_is_named(tmp_path, line, text):
    (tmp_path / "own.py").write_text(f"{line}\n")
    with pytest.raises(tb.SpecError, match=rf"--own: expected a file that can be run, found .*{text}"):
        function_of(f"{tmp_path}/own.py:double", "--own")


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
    assert described(double) | {"given": ""} == {"function": "double", "file": "own.py", "sha256": digest, "given": ""}
    assert described(functools.partial(double)) == described(double)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a module that is imported, and its file."""
    text = """import functools
limit, calls, more, seen = 1.0, 0, 0, []

@functools.lru_cache
def count(x):
    global more
    more += 1

def bound():
    return limit

def double(x):
    global calls
    calls += 1
    seen.append(x)
    count(x)
    return min(2 * x, bound() + 0 * more)
"""
    (tmp_path / "own_module.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("own_module"), tmp_path / "own_module.py"
    del sys.modules["own_module"]


def test_a_constant_of_its_module_that_was_set_anew_makes_a_function_another(module):
    module, _ = module
    kept = {"double": described(module.double)}
    module.double(3)  # counts, and what it has seen, are none
    check_functions(kept, {"double": module.double}, "--own", "here")
    module.limit = 5.0
    with pytest.raises(tb.SpecError, match=r"found another \(own_module\.limit differs\)"):
        check_functions(kept, {"double": module.double}, "--own", "here")


USES = {
    "plain": "def f(run):\n    return {}\n",
    "decorated": "import functools\ndef t(g):\n    @functools.wraps(g)\n    def w(run):\n        return g(run)\n"
    "    return w\n@t\ndef f(run):\n    return {}\n",
    "cached helper": "import functools\n@functools.lru_cache\ndef h():\n    return {}\ndef f(run):\n    return h()\n",
    "context": "import contextlib\n@contextlib.contextmanager\ndef h():\n    yield {}\ndef f(run):\n"
    "    with h() as x:\n        return x\n",
    "one of several": "import functools\n@functools.singledispatch\ndef f(run):\n    return {}\n",
    "property": "class C:\n    @property\n    def x(self):\n        return {}\ndef f(run):\n    return C().x\n",
    "attribute of a class": "class C:\n    x = {}\ndef f(run):\n    return C.x\n",
    "default of a data class": "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass C:\n"
    "    x: float = {}\ndef f(run):\n    return C().x\n",
    "table of functions": "def f(run):\n    return D['a'](run)\nD = {{'a': lambda run: {}}}\n",
    "array": "import numpy as np\nx = np.array([{}])\ndef f(run):\n    return float(x[0])\n",
    "number": "x = {}\ndef f(run):\n    return x\n",
    "partial": "import functools\ndef h(run, x):\n    return x\nf = functools.partial(h, x={})\n",
}


@pytest.mark.filterwarnings("ignore::twinbrain.errors.FunctionWarning")  # of what functools keeps beside a function
@pytest.mark.parametrize("text", [pytest.param(text, id=kind) for kind, text in USES.items()])
def test_a_function_is_told_as_what_was_imported_whatever_its_file_says_by_now(tmp_path, monkeypatch, text):
    """A file that is edited after it was imported would be told as what computed."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "told.py").write_text(text.format(1.0))
    module = importlib.import_module("told")
    (tmp_path / "told.py").write_text(text.format(9.0))
    kept = {"f": described(module.f)}
    check_functions(kept, {"f": module.f}, "--own", "here")
    del sys.modules["told"]
    importlib.invalidate_caches()
    fresh = importlib.import_module("told")
    with pytest.raises(tb.SpecError, match=r"found another \(.* differs"):
        check_functions(kept, {"f": fresh.f}, "--own", "here")
    del sys.modules["told"]


def test_where_a_text_stands_makes_no_function_another(tmp_path):
    (tmp_path / "one.py").write_text("def f(run):\n    return __name__\n")
    (tmp_path / "two.py").write_text("\n# Further down.\ndef f(run):\n    return __name__\n")
    one, two = (given(state_of(function_of(f"{tmp_path}/{name}.py:f", "--own"))) for name in ("one", "two"))
    assert one == two


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
    check_functions({"len": described(len)}, {"len": len}, "--own", "here")
    with pytest.raises(tb.SpecError, match="it is called max"):
        check_functions({"len": described(len)}, {"len": max}, "--own", "here")


def above(run, threshold=0, *, limit=9):
    return threshold


def closing_over(threshold):
    return lambda run: threshold


class Above:
    def __init__(self, threshold):
        self.threshold = threshold

    def __call__(self, run):
        return self.threshold

    def count(self, run):
        return self.threshold


class Settings:
    """Has attributes of the class, which every way to it has to tell."""

    threshold = 1

    def __call__(self, run):
        return self.threshold

    def count(self, run):
        return self.threshold

    @classmethod
    def of_class(cls, run):
        return cls.threshold

    @property
    def own(self):
        return Settings.threshold


class Inheriting(Settings):
    __slots__ = ("place",)


def with_attribute(value):
    def above(run):
        return above.threshold

    above.threshold = value
    return above


def of_class(made):
    """Return a way that makes a function after the attribute of the class was set."""

    def way(value):
        kind = type("Settings", (Settings,), {"threshold": value, "__module__": __name__})
        return made(kind)

    return way


def with_default(value):
    def above(run, threshold=value):
        return threshold

    return above


WAYS = {
    "positional": lambda value: functools.partial(above, None, value),
    "keyword": lambda value: functools.partial(functools.partial(above, limit=3), threshold=value),
    "closure": closing_over,
    "wrapped": lambda value: closing_over(closing_over(value)),
    "object": Above,
    "method": lambda value: Above(value).count,
    "default": with_default,
    "attribute": with_attribute,
    "class": of_class(closing_over),
    "object of a class": of_class(lambda kind: kind()),
    "method of a class": of_class(lambda kind: kind().count),
    "class method": of_class(lambda kind: kind.of_class),
    "inherited": of_class(lambda kind: closing_over(type("Below", (kind,), {"__module__": __name__})())),
    "method given to a class": lambda value: closing_over(type("Own", (), {"f": closing_over(value)})),
    "property": lambda value: closing_over(type("Own", (), {"f": property(closing_over(value))})),
    "static method": lambda value: closing_over(type("Own", (), {"f": staticmethod(closing_over(value))})),
    "cached": lambda value: closing_over(functools.cache(closing_over(value))),
    "within": lambda value: closing_over({"all": [Above((value,)), {value}]}),
    "array": lambda value: closing_over(xr.DataArray(np.arange(5.0) * value, dims="x")),
    "connectome": lambda value: closing_over(tb.Connectome([[value]], [[0]], "A")),
    "declaration": lambda value: closing_over(tb.Record(rate_bin=f"{value} ms")),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_function_that_was_given_another_value_is_another(way):
    kept = {"f": described(WAYS[way](1))}
    check_functions(kept, {"f": WAYS[way](1)}, "--own", "a store")
    with pytest.raises(
        tb.SpecError, match=r"found another \(.* differs\); give it with --own .* as it was, or begin anew"
    ):
        check_functions(kept, {"f": WAYS[way](2)}, "--own", "a store")


def test_another_function_of_the_same_file_is_another():
    with pytest.raises(tb.SpecError, match="it is called with_default"):
        check_functions({"f": described(closing_over)}, {"f": with_default}, "--own", "a store")


def test_globals_of_a_script_that_a_function_uses_count_and_others_do_not(tmp_path):
    lines = ["from twinbrain.functions import described", "used, other = {}", "def one(run):", "    return used"]
    code = "\n".join([*lines, "print(described(one))"])
    told = []
    for values in ("1, 1", "1, 2", "2, 2"):
        (tmp_path / "script.py").write_text(code.format(values))
        told.append(subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, check=True).stdout)
    assert told[0] == told[1] != told[2]


CLASSES = """
import abc, collections, dataclasses, enum, functools, sys, typing
from twinbrain.functions import described
class Kind(enum.Enum):
    one = "a"
class Pair(typing.NamedTuple):
    one: float = 1.0
@functools.total_ordering
@dataclasses.dataclass
class Base(abc.ABC):
    threshold: float = 1.0
    names: set = dataclasses.field(default_factory=lambda: {"a", "b", "c"})
    kinds: typing.ClassVar = {"a", "b", "c", Kind.one}
    def __lt__(self, other): return Settings.threshold
    @abc.abstractmethod
    def other(self): return Other.of(self)
class Settings(Base):
    __slots__ = ("place",)
    def other(self): return Other, Kind, Pair(2), self
    @functools.cached_property
    def known(self): return 1
    @functools.lru_cache
    def kept(self): return 1
class Other:
    settings = Settings()
    @classmethod
    def of(cls, value): return Settings, cls
def score(run): return Settings.threshold, Other
before = described(score)
assert '""' not in before["given"], before
"""


def test_what_is_told_of_classes_is_the_same_in_every_process_and_whatever_they_have_cached(tmp_path):
    used = "isinstance(Settings(), collections.abc.Sized), Settings().known, Settings.kept(1)"
    (tmp_path / "script.py").write_text(f"{CLASSES}\n{used}\nassert described(score) == before\nprint(before)")
    told = {
        subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, check=True).stdout
        for _ in range(2)  # each has an order of sets, and addresses, of its own
    }
    assert len(told) == 1


@pytest.mark.parametrize(
    "changed", ["Settings.threshold = 2.0", "Other.settings.threshold = 2.0", "Base.threshold = 2.0"]
)
def test_classes_that_a_script_has_changed_are_others(tmp_path, changed):
    lines = f"{changed}\nassert described(score) != before"
    (tmp_path / "script.py").write_text(f"{CLASSES}\n{lines}")
    subprocess.run([sys.executable, tmp_path / "script.py"], check=True)


def test_classes_that_all_use_each_other_are_told_in_time_as_what_cannot_be_compared():
    """There are more ways through eighteen than can be gone; what is only met twice is looked at once."""
    ring = [type(f"C{i}", (), {"__module__": __name__}) for i in range(18)]
    for kind in ring:
        kind.others = tuple(ring)
    assert json.loads(described(closing_over(ring))["given"])["threshold"] == ""
    doubled = [type("C", (), {"__module__": __name__})]
    for _ in range(18):
        doubled = [doubled, doubled]
    assert '""' not in described(closing_over(doubled))["given"]
    assert '""' not in described(closing_over(list(range(10_000))))["given"]


def test_what_cannot_be_compared_is_told():
    with open(__file__) as file, pytest.warns(tb.FunctionWarning, match="threshold of the function 'f' cannot be"):
        check_functions({"f": described(closing_over(file))}, {"f": closing_over(file)}, "--own", "a store")
    made = {}
    exec("def f(run): return 1", made)
    with pytest.warns(tb.FunctionWarning, match="the text of the function 'f' cannot be compared"):
        check_functions({"f": described(made["f"])}, {"f": made["f"]}, "--own", "a store")


def test_values_that_hold_themselves_have_a_digest():
    ring = []
    ring.append(ring)
    assert described(closing_over(ring)) == described(closing_over(ring))


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
