"""The kernels of a GPU, as far as they can be tested without one; tests/gpu runs them."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.examples import build_region, relay_region
from tests.learn.fused.programs import NAMES, example
from twinbrain.engines.torch import triton_block
from twinbrain.engines.torch.functions import functions
from twinbrain.learn.fused.triton_source import triton_source

INTERPRETED = """
import sys
import torch
import twinbrain.learn.fused.kernels as kernels
from tests.learn.fused.test_chunk import gradients, loop, relative_error
from tests.learn.fused.programs import example
from twinbrain.learn.fused.chunk import advance_chunk
from twinbrain.learn.fused.triton_kernels import TritonKernels

kernels._find = lambda key, wanted, device: TritonKernels(kernels._programs[key], wanted)
program, state, constants, arrived = example(sys.argv[1], 40)
tensors = [state["v"], constants[sys.argv[2]], arrived]
for tensor in tensors:
    tensor.requires_grad_()
arguments = (program, "atan", 1.7, state, constants, arrived, ("v",))
found, expected = advance_chunk(*arguments), loop(*arguments)
assert expected[1].sum() > 20
assert torch.equal(found.spikes, expected[1])
assert torch.equal(found.observed["v"], expected[2]["v"])
pairs = zip(gradients(found, tensors), gradients(expected, tensors), strict=True)
assert max(relative_error(one, other) for one, other in pairs) < 1e-10
print("alike")
"""


def a_chunk():
    return triton_source(example("alif", 1)[0], "atan", (), ("v",))


def a_block():
    return triton_block.block_source(build_region(relay_region(), seed=0).blocks[0])


@pytest.mark.parametrize("name", NAMES)
def test_the_source_of_every_model_is_python(name):
    program, *_ = example(name, 1)
    tree = ast.parse(triton_source(program, "atan", tuple(program.constants), ("v",)))
    kernels = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert kernels == ["forward", "backward"]


@pytest.mark.parametrize("source", [a_chunk, a_block])
def test_the_source_knows_every_function_that_a_program_may_use(source):
    imports = [node for node in ast.parse(source()).body if isinstance(node, ast.ImportFrom)]
    module_of = {name.name: node.module for node in imports for name in node.names}
    assert set(functions(torch.float64)) <= set(module_of)
    # Where Triton is not installed, what is imported can be read alone.
    own = ast.parse(Path(triton_block.__file__).with_name("triton_functions.py").read_text())
    defined = {node.name for node in own.body if isinstance(node, ast.FunctionDef)}
    assert {name for name, module in module_of.items() if module.endswith("torch.triton_functions")} <= defined


@pytest.mark.parametrize(("name", "constant"), [("lif_current", "k5"), ("alif", "beta")])
def test_interpreted_kernels_are_the_step_loop(name, constant):
    pytest.importorskip("triton", reason="Triton is not installed")
    path = os.pathsep.join([str(Path(__file__).parents[3]), *sys.path])
    environment = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETED, name, constant],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "alike", done.stderr


@pytest.mark.parametrize(("model", "constant"), [("lif_current", "k5"), ("alif", "beta")])
@pytest.mark.parametrize("name", ["forward", "backward"])
def test_kernels_compile_and_round_as_the_step_loop_does(name, model, constant):
    """For a card that need not be there: no fused multiply-add, and no single precision where double is asked for."""
    triton = pytest.importorskip("triton", reason="Triton is not installed")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from twinbrain.engines.generated import import_source

    program, *_ = example(model, 1)
    kernel = getattr(import_source("fused", triton_source(program, "atan", (constant,), ("v",))), name)
    types = dict.fromkeys(kernel.arg_names, "*fp64")
    numbers = {"_every", "_start", "_stop", "_n_steps", "_n_trials", "_n", "_n_places"} & types.keys()
    known = {"_BLOCK": 128, "_slope": 1.7, "_each_step": True, "_fed_back": True}
    constants = {key: value for key, value in known.items() if key in types}
    types |= dict.fromkeys(numbers, "i32") | dict.fromkeys(constants, "constexpr")
    source = ASTSource(fn=kernel, signature=types, constexprs=constants)
    compiled = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"enable_fp_fusion": False})
    assert "fma" not in compiled.asm["ptx"]
    assert ".f32" not in compiled.asm["ptx"]
