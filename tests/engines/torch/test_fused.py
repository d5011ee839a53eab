"""The kernels of a GPU, as far as they can be tested without one: interpreted, and compiled for a card elsewhere.

On a card, tests/gpu runs the whole conformance suite.
"""

import ast
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import twinbrain as tb
from tests.examples import build_brain, small_brain
from twinbrain.engines.torch.triton_block import block_source
from twinbrain.models.algebra import Statement

INTERPRETED = """
import twinbrain as tb
from tests.examples import build_brain, small_brain
from twinbrain.engines.conformance import check_injected_spikes, check_restore, check_spikes_and_samples
from twinbrain.engines.torch.simulation import TorchSimulation
from twinbrain.spec.record import Record, StateRecord

def fused(network):
    return TorchSimulation(network, "cpu", "float64", fused=True)

record = Record(state=(StateRecord(variable="v", neurons=3, interval="1.3 ms"),))
train = {"times": [[0.1 * n] for n in range(15)] + 25 * [[]], "unit": "ms", "weight": "30 nS"}
stimuli = tuple(
    tb.Stimulus.parse({"name": name, "population": "pyr", "start": "0.5 ms", "duration": "1.9 ms"} | signal)
    for name, signal in {
        "sine": {"sine": {"amplitude": "500 pA", "frequency": "300 Hz"}},
        "train": {"receptor": "ampa", "spikes": train},
    }.items()
)
network = build_brain(small_brain(3, coupling=1.3), record=record, stimuli=stimuli)
check_spikes_and_samples(fused, network, 30)
check_restore(fused, network, 20)
check_injected_spikes(fused, network, 20)
print("alike")
"""


@pytest.fixture(scope="module")
def blocks():
    return build_brain(small_brain(2)).blocks


def test_the_source_of_every_block_is_python(blocks):
    for block in blocks:
        (kernel,) = (node for node in ast.parse(block_source(block)).body if isinstance(node, ast.FunctionDef))
        arguments = [argument.arg for argument in kernel.args.args]
        assert len(set(arguments)) == len(arguments)
        assert {f"_{name}" for name in (*block.program.state, *block.program.constants)} < set(arguments)


def test_conditions_are_of_arrays_wherever_they_stand(blocks):
    program = blocks[0].program
    reset = (Statement("_t9", "indicator(v > 0.0 and not (v > 9.0))"), Statement("v", "v + _t9"))
    source = block_source(replace(blocks[0], program=replace(program, reset=reset)))
    assert "_t9 = indicator(_F, (v > 0.0) & ~(v > 9.0))" in source


def test_a_function_that_a_kernel_cannot_have_is_named(blocks):
    program = replace(blocks[0].program, threshold="bessel(v) > V_th")
    with pytest.raises(tb.EngineError, match=r"found bessel\(…\)"):
        block_source(replace(blocks[0], program=program))


def test_interpreted_kernels_give_what_the_reference_gives():
    pytest.importorskip("triton", reason="Triton is not installed")
    environment = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETED], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "alike", done.stderr


def test_compiled_kernels_round_as_other_engines_do(blocks):
    """No fused multiply-add, divisions and literals in full precision."""
    triton = pytest.importorskip("triton", reason="Triton is not installed")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from twinbrain.engines.generated import import_source

    block = next(block for block in blocks if block.name == "adex")
    integrate = (*block.program.integrate, Statement("v", "v + reciprocal(v)*bounded(w, 0.1, 0.3)"))
    source = block_source(replace(block, program=replace(block.program, integrate=integrate)))
    kernel = import_source("step_compiled", source).step
    types = dict.fromkeys(kernel.arg_names, "*fp64") | {"_F": "constexpr", "_BLOCK": "constexpr"}
    types |= dict.fromkeys(("_width", "_n_slots", "_n_block", "_n", "_n_neurons", "_n_inlets"), "i32")
    types |= {"_clock": "*i64", "_ring": "*i32", "_spikes": "*i32", "_neurons": "*i64"}
    compiled = triton.compile(
        ASTSource(fn=kernel, signature=types, constexprs={"_F": triton.language.float64, "_BLOCK": 128}),
        target=GPUTarget("cuda", 90, 32),
        options={"enable_fp_fusion": False},
    )
    ptx = compiled.asm["ptx"]
    assert "fma" not in ptx
    assert "div.rn.f64" in ptx
    assert not re.search(r"\.f32", ptx)
    for value in ("3FB999999999999A", "3FD3333333333333"):  # 0.1 and 0.3
        assert f"0d{value}" in ptx


@pytest.mark.parametrize(
    ("name", "integers", "numbers", "constants"),
    [
        ("draw", {"ring", "weight", "offset"}, {"width", "n_slots", "n"}, {"n_thresholds": 20, "BLOCK": 128}),
        (
            "deliver",
            {"spikes", "post", "weight", "delay", "ring"},
            {"width", "n_slots", "n_neurons", "n_inlets"},
            {"BLOCK": 128},
        ),
        ("tick", set(), set(), {}),
    ],
)
def test_kernels_of_every_model_compile(name, integers, numbers, constants):
    """Pointers are to int64 but for those of ``integers``, which are to int32; ``numbers`` are passed as they are."""
    triton = pytest.importorskip("triton", reason="Triton is not installed")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from twinbrain.engines.torch import triton_kernels

    kernel = getattr(triton_kernels, name)
    types = {a: "*i32" if a in integers else "i32" if a in numbers else "*i64" for a in kernel.arg_names}
    source = ASTSource(fn=kernel, signature=types | dict.fromkeys(constants, "constexpr"), constexprs=constants)
    compiled = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"enable_fp_fusion": False})
    # Additions whose result nobody reads, and whose order nobody needs.
    assert ("red.global.gpu.relaxed.add" in compiled.asm["ptx"]) == (name != "tick")


def test_the_compiler_of_a_launch_is_started_in_a_folder_of_its_own(tmp_path, monkeypatch):
    pytest.importorskip("triton", reason="Triton is not installed")
    from triton.runtime import build

    from twinbrain.engines.torch import triton_functions as triton_functions

    monkeypatch.chdir(tmp_path)
    build.subprocess.check_call(["sh", "-c", f"(pwd; ls -A) > {tmp_path}/said"])
    [folder] = (tmp_path / "said").read_text().splitlines()
    assert folder != str(tmp_path)
    assert not Path(folder).exists()


_ROOT = Path(__file__).parents[3]
