"""Edits of modules of a person's own, each of which makes a function of theirs another."""

ON = """
import collections, dataclasses, datetime, decimal, enum, functools, pathlib, re, types, typing
import numpy as np
"""

# Texts of modules with a function f. An edit puts 5 in place of 3, or else what is told.
EDITS = {
    "default": """
def f(run, limit=3):
    return limit
""",
    "default of a helper": """
def h(*, limit=3):
    return limit
def f(run):
    return h()
""",
    "default of a method": """
class C:
    def g(self, x=3):
        return x
def h():
    return C().g()
def f(run):
    return h()
""",
    "field of a named tuple": """
class C(typing.NamedTuple):
    x: int = 3
def h():
    return C().x
def f(run):
    return h()
""",
    "field with slots": """
@dataclasses.dataclass(slots=True)
class C:
    x: int = 3
def h():
    return C().x
def f(run):
    return h()
""",
    "field that is made": """
@dataclasses.dataclass
class C:
    x: list = dataclasses.field(default_factory=lambda: [3])
def h():
    return C().x
def f(run):
    return h()
""",
    "argument of a decorator": """
def times(k):
    def d(g):
        def w():
            return k * g()
        return w
    return d
@times(3)
def h():
    return 1
def f(run):
    return h()
""",
    "partial": """
def g(x):
    return x
h = functools.partial(g, 3)
def f(run):
    return h()
""",
    "attribute of a function": """
def h():
    return h.k
h.k = 3
def f(run):
    return h()
""",
    "function of a library": """
h = np.mean
def f(run):
    return h()
""",
    "universal function": """
h = np.add
def f(run):
    return h()
""",
    "built-in function": """
from math import sin as h
def f(run):
    return h()
""",
    "module": """
import math as m
def f(run):
    return m.sqrt(run)
""",
    "which name means what": """
def a():
    return 1
def b():
    return 2
low, high = a, b
def f(run):
    return low() - 2 * high()
""",
    "table of functions": """
def a():
    return 1
def b():
    return 2
T = {1: a, 2: b}
def f(run):
    return T[1]()
""",
    "order of bases": """
class A:
    def g(self):
        return 1
class B:
    def g(self):
        return 2
class H(A, B):
    pass
def f(run):
    return H().g()
""",
    "object": """
@dataclasses.dataclass(frozen=True)
class C:
    x: int
S = C(3)
def f(run):
    return S.x
""",
    "method of an object": """
class C:
    def __init__(self, x):
        self.x = x
    def g(self):
        return self.x
h = C(3).g
def f(run):
    return h()
""",
    "behind a vectorised function": """
h = np.vectorize(lambda: 3)
def f(run):
    return h()
""",
    "one under a name of an argument": """
limit = 3
def h():
    return limit
def f(run, limit=7):
    return h()
""",
    "made into another": """
S = 3.0
def f(run):
    x = S * run
    x[0] = 0
    return x
""",
    "in a list of its own": """
S = 3
def f(run):
    x = [S]
    x.append(1)
    return x
""",
    "part of a list": """
S = [3]
def f(run):
    x = S[:1]
    x.append(1)
    return x
""",
    "joined": """
S = {'a': 3}
def f(run):
    x = S | {}
    x['b'] = 1
    return x
""",
    "made by a method": """
class C:
    def __init__(self, x):
        self.x = x
    def g(self):
        y = self.x * np.ones(3)
        y[0] = 0
        return y
s = C(3)
def f(run):
    return s.g()
""",
    "behind a property that can be set": """
class C:
    def __init__(self, x):
        self.x = x
    @property
    def x(self):
        return self._x
    @x.setter
    def x(self, value):
        self._x = value
s = C(3)
def f(run):
    return s.x
""",
    "set by what makes an object": """
class C:
    def __init__(self, x):
        self.configure(x)
    def configure(self, x):
        self.x = x
s = C(3)
def f(run):
    return s.x
""",
    "of the name of what another class counts": """
class C:
    n = 0
    def step(self):
        self.n += 1
class S:
    n = 3
c = C()
def f(run):
    c.step()
    return S.n
""",
    "method of an enumeration": """
class E(enum.Enum):
    A = 1
    def weight(self):
        return 3
def f(run):
    return E.A.weight()
""",
    "field of pydantic": """
import pydantic
class C(pydantic.BaseModel):
    x: int = 3
def f(run):
    return C().x
""",
    "series to which is added": """
import pandas as pd
S = pd.Series([3])
def f(run):
    return S.add(0)
""",
    "number of a class": """
class Hz(float):
    def __repr__(self):
        return '1'
S = Hz(3)
def f(run):
    return S
""",
    "number of a class without attributes": """
class Hz(float):
    __slots__ = ()
    def double(self):
        return 2 * self
S = Hz(3)
def f(run):
    return S.double()
""",
    "behind a decorator": """
class C:
    @functools.lru_cache
    def __call__(self):
        return 3
s = C()
def f(run):
    return s()
""",
    "item that can be set": """
class C:
    def __init__(self, x):
        self.t = {"a": x}
    def __getitem__(self, key):
        return self.t[key]
    def __setitem__(self, key, x):
        self.t[key] = x
s = C(3)
def f(run):
    return s["a"]
""",
    "between underscores": """
__gain__ = 3
def f(run):
    return __gain__
""",
    "method that is partly given": """
class C:
    def g(self, x):
        return x
    __call__ = functools.partialmethod(g, 3)
s = C()
def f(run):
    return s()
""",
    "attribute of an array": """
class L(np.ndarray):
    pass
S = np.ones(2).view(L)
S.gain = 3
def f(run):
    return S.gain
""",
} | {
    value: f"S = {value}\ndef f(run):\n    return S\n"
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
        "np.array(['a long text of region 3', 'b'], dtype=np.dtypes.StringDType())",
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
TOLD = {
    "function of a library": ("mean", "median"),
    "universal function": ("add", "subtract"),
    "built-in function": ("sin", "cos"),
    "module": ("math", "cmath"),
    "which name means what": ("= a, b", "= b, a"),
    "table of functions": ("1: a, 2: b", "1: b, 2: a"),
    "order of bases": ("(A, B)", "(B, A)"),
    "one under a name of an argument": ("limit = 3", "limit = 5"),
    "made by a method": ("(3)", "(5)"),
}
