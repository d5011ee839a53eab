"""Texts of models, units and names that try to run code, to hang, or to break what reads them."""

import random
import re
import tomllib

import pytest

from twinbrain.errors import SpecError
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.plasticity import PLASTICITY_MODELS
from twinbrain.models.rule import rule_program
from twinbrain.models.step import step_program
from twinbrain.network.parameters import fill_parameters, program_constants
from twinbrain.network.sampling import sample
from twinbrain.spec.region import Region

# Every place of a region in which a text is read as an expression, a statement, a unit or a name, as §0§ to §22§.
REGION = """
name = "test/attacked"

[models.mine§0§]
equations = '''
dv/dt = (E_L - v + I_syn/g_L)/tau§1§ : volt§2§ (unless refractory§3§)
E_L§4§ : volt
g_L : siemens§5§
tau : second
t_ref : second
'''
threshold = '''v > -50*mV§6§'''
reset = '''v = E_L§7§'''
refractory = '''t_ref§8§'''
method = '''euler§9§'''
parameters = { E_L = '''-70 mV§10§''', g_L = "10 nS", tau = "20 ms", t_ref = "2 ms" }
initial = { v = "-70 mV" }

[receptors.own§11§]
equations = '''
I_own = g_own*(0*volt - v)§12§ : amp
dg_own/dt = -g_own/tau_own§13§ : siemens
tau_own : second
'''
jump = '''g_own§14§'''
current = '''I_own§15§'''
parameters = { tau_own = "2 ms" }

[plasticity.rule§16§]
equations = '''
dx/dt = -x/tau_x§17§ : 1
tau_x : second
'''
on_pre = '''release = w*x§18§'''
on_post = '''x += 1§19§'''
on_modulator = '''x = x*modulator_spikes§20§'''
on_event = '''w = clip(w, 0*weight, w)§21§'''
parameters = { tau_x = "20 ms" }

[cells.cell]
model = "mine"
receptors = ["own"]

[populations]
cell = { cell = "cell", size = 2 }

[[projections]]
source = "cell"
target = "cell"
receptor = "own"
connect = { probability = 0.5 }
weight = '''1 nS§22§'''
delay = "1 ms"
plasticity = { model = "rule", modulator = "cell" }
"""
PLACES = range(REGION.count("§") // 2)


def region(place=None, text=""):
    return re.sub(r"§(\d+)§", lambda match: text if match[1] == str(place) else "", REGION)


def payloads(marker):
    """Return what runs Python where a text is evaluated, in many disguises."""
    code = f'__import__("pathlib").Path("{marker}").touch()'
    octal = "".join(f"\\{ord(c):03o}" for c in code)
    hexadecimal = "".join(f"\\x{ord(c):02x}" for c in code)
    wide = code.replace("import", "ｉｍｐｏｒｔ")
    return [
        f"*exp('{code}')",
        f"*exp('{octal}')",
        f'*exp("{hexadecimal}")',
        f"*exp(b'{octal}')",
        f"*exp(f'{{{code}}}')",
        f"*exp(r'{code}')",
        f"*exp('{code}' '')",
        f"*{code}",
        f"*{wide}",
        f"*(lambda: {code})()",
        f"*[{code}][0]",
        f"*({code}, 1)[1]",
        f"*(1 if {code} else 1)",
        f"*(y := {code})",
        f"*eval('{octal}')",
        f"*S('{octal}')",
        f"*sympify('{octal}')",
        f"*Symbol('x', commutative={code})",
        f"*exp(v, evaluate={code})",
        f"*exp(*[{code}])",
        f"*().__class__.__base__.__subclasses__()[{code}]",
        f"*v.real.__init__.__globals__[{code}]",
        f"*@{code}",
        f"*`{code}`",
        f"\n{code}",
        f"; {code}",
        f"\nimport os\n{code}",
        f"\\\n{code}",
        f"\r{code}",
        f"\x0c{code}",
        f"\u2028{code}",
        f") or exp('{octal}'",
        f"''' + {code} + '''".replace("'", '"'),
        f"{{{{{code}}}}}",
        f"$({code})",
    ]


def is_toml(text):
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def test_the_region_that_is_attacked_is_right(twinbrain, folder):
    (folder / "region.toml").write_text(region())
    assert twinbrain("validate", "region.toml").out == "region.toml: right\n"


@pytest.mark.parametrize("place", PLACES)
def test_no_text_of_a_region_runs_code(place, marker, twinbrain, folder):
    tried = 0
    for payload in payloads(marker):
        text = region(place, payload)
        if not is_toml(text):
            continue
        (folder / "region.toml").write_text(text, encoding="utf-8")
        outcome = twinbrain("validate", "region.toml")
        assert outcome.code == 2, (payload, outcome)
        assert outcome.err.startswith("error: ")
        assert "Traceback" not in outcome.err
        assert not marker.exists(), payload
        tried += 1
    assert tried or place in (0, 11, 16)


@pytest.mark.parametrize("place", [1, 6, 7, 12, 17, 18, 19])
@pytest.mark.parametrize("command", ["plan", "run"])
def test_no_command_runs_code_of_a_region(command, place, marker, twinbrain, folder):
    workflow = 'summary = "x"\n[run]\nduration = "10 ms"\n[brain]\nconnectome = "weights.tsv"\n[brain.regions]\n'
    (folder / "attack.toml").write_text(workflow + '"*" = "region.toml"\n')
    for payload in payloads(marker)[:3]:
        (folder / "region.toml").write_text(region(place, payload), encoding="utf-8")
        outcome = twinbrain(command, "attack.toml")
        assert outcome.code == 2, outcome
        assert "region.toml" in outcome.err
        assert not marker.exists()


@pytest.mark.parametrize("kind", ["models", "receptors", "plasticity", "parameters"])
@pytest.mark.parametrize("name", ["a\\nimport os", "a b", "", "1a", "a.b", "é", "__class__", "a;b", "x" * 65, "a'b"])
def test_a_name_that_would_go_into_code_is_an_identifier(kind, name, refused, folder):
    table = {
        "models": f'[models."{name}"]\nequations = "v : 1"\nthreshold = "v > 1"\nreset = ""\n',
        "receptors": f'[receptors."{name}"]\njump = "v"\n',
        "plasticity": f'[plasticity."{name}"]\n',
        "parameters": f'[cells.other]\nmodel = "mine"\nparameters = {{ "{name}" = 1 }}\n',
    }[kind]
    use = 'other = { cell = "other", size = 1 }\n' if kind == "parameters" else ""
    text = region().replace("[cells.cell]", f"{table}\n[cells.cell]").replace("size = 2 }\n", f"size = 2 }}\n{use}")
    (folder / "region.toml").write_text(text, encoding="utf-8")
    refused(["validate", "region.toml"], kind)


HUGE = [
    "10**10**10",
    "(((10**99)**99)**99)**99",
    "(((v/mV)**99)**99)**99",
    "2**(10**9)",
    "10**400",
    "1e400",
    "9" * 400,
    "1e308*1e308",
    "(1e-300)**50",
    "exp(exp(exp(100)))",
    "1/0",
    "0/0",
    "log(-1)",
    "sqrt(-1)",
    "0**-1",
    "(-1)**0.5",
    "(" * 3000 + "1" + ")" * 3000,
    "-" * 3000 + "1",
    "1" + "+1" * 3000,
    "**".join(["v"] * 300),
    "*".join(["(v + E_L)"] * 60),
    "((((v/mV + 1)**3 + 1)**3 + 1)**3 + 1)**3",
    "(v/mV + E_L/mV + tau/ms + g_L/nS + t_ref/ms)**60",
    "1" + " " * 30_000,
    "exp(" * 200 + "1" + ")" * 200,
]


@pytest.mark.parametrize("text", HUGE, ids=lambda text: text[:20])
def test_what_would_never_end_is_refused_at_once(text):
    for place, form in ((1, f"*({text})"), (6, f" and v/mV > {text}"), (7, f"*({text})"), (18, f"*({text})")):
        with pytest.raises(SpecError, match=r"expected .*found"):
            Region.parse(tomllib.loads(region(place, form)))


def test_names_that_stand_for_names_are_not_written_out_without_end():
    doubled = "\n".join(f"a{i} = a{i - 1}*a{i - 1} + a{i - 1} : 1" for i in range(1, 60))
    with pytest.raises(SpecError, match="when all names are written out"):
        Region.parse(tomllib.loads(region(2, f"\na0 : 1\n{doubled}\nb : 1")))


@pytest.mark.parametrize("unit", ["mV**10**10**10", "mV**99", "*".join(["mV"] * 5000), "(" * 5000, "Ym**12", "mV**1e9"])
def test_units_have_bounds(unit, refused, folder):
    for place, key in ((5, "expected"), (10, "models.mine.parameters.E_L"), (22, "projections[0].weight")):
        (folder / "region.toml").write_text(region(place, f"*{unit}"))
        refused(["validate", "region.toml"], key, "found")


@pytest.mark.parametrize("name", ["lambda", "dt", "t", "k0", "exp", "range", "inbox_ampa", "_v", "a__b", "int"])
def test_names_with_a_meaning_of_their_own_cannot_be_given(name):
    with pytest.raises(SpecError, match=r"expected a(n)? .*found"):
        Region.parse(tomllib.loads(region(2, f"\n{name} : 1\nb : 1")))


PIECES = re.compile(r"[A-Za-z_]\w*|\d+\.?\d*|\*\*|[<>=!]=|\S")
ODD = [
    *("", "+", "-", "*", "/", "**", "(", ")", "=", ">", "<", "==", ",", ":", ";", "\n", "#", ".", "'", '"', "[", "\\"),
    *(
        "0",
        "1",
        "-1",
        "1.5",
        "1e400",
        "10**10**10",
        "v",
        "E_L",
        "mV",
        "second",
        "nan",
        "inf",
        "pi",
        "e",
        "I",
        "dt",
        "t",
    ),
    *("int(1.5)", "log(-1)", "exp(...)", "1/0", "0**-1", "v > E_L > E_L", "int(v > E_L)", "int(E_L > V_T)", "True"),
    *("and", "or", "not", "if", "lambda: 0", "xi", "rand()", "exp", "exp()", "clip(v, 1)", "v.real", "v[0]", "%", "µ"),
    *(
        "(v - v)",
        "1/(v - v)",
        "(0*v)**-1",
        "sqrt(-v**2)",
        "abs(v)",
        "exp(v/mV)",
        "log(0*v/mV)",
        "v**v",
        "10**20",
        "1e300",
    ),
]


def edited(text, rng):
    """Return a text with one or two of its pieces taken out, replaced, doubled or exchanged."""
    for _ in range(rng.choice([1, 1, 2])):
        found = list(PIECES.finditer(text))
        if not found:
            return rng.choice(ODD)
        piece, other = rng.choice(found), rng.choice(found)
        new = rng.choice(["", rng.choice(ODD), rng.choice(ODD), rng.choice(ODD), piece[0] * 2, other[0]])
        text = text[: piece.start()] + new + text[piece.end() :]
    return text


def compute_neuron(model):
    """Go as far as constants with a neuron model: what has passed that is computed."""
    program = step_program(model, {})
    values = fill_parameters(
        {}, model.parameters, program.parameters, lambda _, value, unit: sample(value, unit, 2, None)
    )
    program_constants(program, model, values, 0.1, 2)


@pytest.mark.parametrize(
    ("models", "fields", "compute"),
    [
        (NEURON_MODELS, ("equations", "threshold", "reset"), compute_neuron),
        (
            PLASTICITY_MODELS,
            ("equations", "on_pre", "on_post", "on_modulator", "on_event"),
            lambda model: rule_program(model, "nS"),
        ),
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_an_edited_model_is_right_or_refused_with_one_message(seed, models, fields, compute):
    rng = random.Random(seed)
    messages = []
    for _ in range(60):
        model, field = rng.choice(list(models.values())), rng.choice(fields)
        text = edited(getattr(model, field), rng)
        try:
            compute(type(model)(**(model.model_dump() | {field: text})))
        except SpecError as error:
            messages.append(str(error))
    assert len(messages) > 20
    assert [message for message in messages if "\n" in message or "expected" not in message] == []
