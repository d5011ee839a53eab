"""A layer of leaky neurons on a GPU, forward and backward, as in the benchmark of Open Neuromorphic, by library.

https://open-neuromorphic.org/blog/spiking-neural-network-framework-benchmarking/: a linear layer and leaky
integrate-and-fire neurons, batch 16, 500 steps. Each library runs in a process of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

N_TRIALS, N_STEPS = 16, 500
N_NEURONS = int(os.environ.get("TWINBRAIN_BENCH_NEURONS", "16384"))
REPEATS = 5


def measure() -> str:
    """Return seconds and peak memory of each library that is there, with products in full and in reduced precision."""
    import torch

    if not torch.cuda.is_available():
        return "no GPU"
    rows = measure_all()
    parts = [
        f"{row['library']} ({row['products']}) {row['seconds']:.4f} s, {row['gigabytes']:.1f} GB"
        if "seconds" in row
        else f"{row['library']}: {row['error'][-80:]}"
        for row in rows
    ]
    return "; ".join(parts)


def measure_all(folder: Path | None = None) -> list[dict[str, Any]]:
    """Return what each library needs; written to a folder as it comes."""
    rows = []
    for products in ("float32", "tf32"):
        for name in LIBRARIES:
            command = [sys.executable, "-m", "tests.benchmarks.training_gpu", name, products]
            environment = os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
            try:
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=75)
                row = json.loads(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 else {}
                row = row or {"error": done.stderr[-2000:]}
            except subprocess.TimeoutExpired:
                row = {"error": "took more than 75 s"}
            rows.append({"library": name, "products": products} | row)
            if folder is not None:
                (folder / "training_gpu.json").write_text(json.dumps(rows, indent=1))
    return rows


def _torch_run(run: Callable[[Any, Any], Any], products: str) -> dict[str, Any]:
    """Time a layer ``run(inputs, weight)`` that returns spikes."""
    import torch

    torch.set_float32_matmul_precision("high" if products == "tf32" else "highest")
    generator = torch.Generator("cuda").manual_seed(1)
    inputs = (torch.rand(N_STEPS, N_TRIALS, N_NEURONS, device="cuda", generator=generator) < 0.1).float()
    weight = torch.randn(N_NEURONS, N_NEURONS, device="cuda", generator=generator) * (2.0 / N_NEURONS**0.5)
    weight.requires_grad_()
    rate = 0.0

    def step() -> tuple[float, float]:
        nonlocal rate
        weight.grad = None
        torch.cuda.synchronize()
        start = time.perf_counter()
        spikes = run(inputs, weight)
        torch.cuda.synchronize()
        middle = time.perf_counter()
        spikes.sum().backward()
        torch.cuda.synchronize()
        end = time.perf_counter()
        rate = spikes.mean().item()
        return middle - start, end - middle

    for _ in range(2):
        step()
    torch.cuda.reset_peak_memory_stats()
    times = [step() for _ in range(REPEATS)]
    assert weight.grad is not None
    return _summary(times, torch.cuda.max_memory_allocated(), rate, float(weight.grad.norm()))


def _summary(times: list[tuple[float, float]], n_bytes: int, rate: float, norm: float) -> dict[str, Any]:
    return {
        "seconds": statistics.median(sum(pair) for pair in times),
        "forward": statistics.median(pair[0] for pair in times),
        "backward": statistics.median(pair[1] for pair in times),
        "gigabytes": n_bytes / 1e9,
        "rate": rate,
        "gradient_norm": norm,
    }


def _block() -> tuple[Any, dict[str, Any], dict[str, Any]]:
    from tests.benchmarks.training import leaky_program

    program, state, constants = leaky_program()
    state = {name: value.cuda().expand(N_TRIALS, N_NEURONS) for name, value in state.items()}
    return program, state, {name: value.cuda().expand(N_NEURONS) for name, value in constants.items()}


def twinbrain(products: str) -> dict[str, Any]:
    """Ours."""
    from twinbrain.learn.fused.chunk import advance_chunk
    from twinbrain.learn.fused.events import spike_product

    program, state, constants = _block()

    def run(inputs: Any, weight: Any) -> Any:
        arrived = spike_product(inputs, weight.t())[:, :, None]
        return advance_chunk(program, "atan", 2.0, state, constants, arrived).spikes

    return _torch_run(run, products) | _gradients(products) | _products()


def _products() -> dict[str, Any]:
    """Return how far our products, and their gradients, are from those in double precision; and PyTorch's, relative."""
    import torch

    from twinbrain.learn.fused.events import spike_product

    generator = torch.Generator("cuda").manual_seed(5)
    inputs = (torch.rand(N_STEPS, N_TRIALS, 4096, device="cuda", generator=generator) < 0.1).float()
    weight = torch.randn(4096, 4096, device="cuda", generator=generator, requires_grad=True)
    seed = torch.randn(N_STEPS, N_TRIALS, 4096, device="cuda", generator=generator)

    def both(found: Any) -> tuple[Any, Any]:
        return found.detach().double(), torch.autograd.grad(found, weight, seed.to(found.dtype))[0].double()

    exact = both(inputs.double() @ weight.double())
    found = {"twinbrain": both(spike_product(inputs, weight)), "pytorch": both(inputs @ weight)}
    return {
        what: {name: float((pair[k] - exact[k]).norm() / exact[k].norm()) for name, pair in found.items()}
        for k, what in enumerate(("product_error", "weight_gradient_error"))
    }


def _gradients(products: str) -> dict[str, Any]:
    """Return how far our gradients are from those of the step loop and of snnTorch's, relative, in one precision."""
    import snntorch
    import torch
    from snntorch import surrogate

    from tests.benchmarks.training import BETA
    from twinbrain.learn.fused.chunk import advance_chunk
    from twinbrain.learn.fused.stepwise import surrogate_step
    from twinbrain.learn.fused.surrogates import surrogate_function

    program, state, constants = _block()
    generator = torch.Generator("cuda").manual_seed(3)
    given = torch.randn(N_STEPS, N_TRIALS, N_NEURONS, device="cuda", generator=generator)[:, :, :2048] * 0.3 + 0.05
    seed = torch.randn(given.shape, device="cuda", generator=generator)
    state = {name: value[:, :2048] for name, value in state.items()}
    constants = {name: value[:2048] for name, value in constants.items()}
    step = surrogate_step(program, surrogate_function("atan", 2.0))
    cell = snntorch.Leaky(BETA, reset_mechanism="zero", spike_grad=surrogate.atan()).cuda()

    def fused(given: Any) -> Any:
        return advance_chunk(program, "atan", 2.0, state, constants, given[:, :, None]).spikes

    def stepwise(given: Any) -> Any:
        now, spikes = state, []
        for arriving in given:
            now, spiked = step(now, constants, {"delta": arriving})
            spikes.append(spiked)
        return torch.stack(spikes)

    def plain(given: Any) -> Any:
        membrane, spikes = torch.zeros_like(given[0]), []
        for arriving in given:
            spiked, membrane = cell(arriving, membrane)
            spikes.append(spiked)
        return torch.stack(spikes)

    found = {}
    for run in (fused, stepwise, plain):
        taken = given.clone().requires_grad_()
        spikes = run(taken)
        (gradient,) = torch.autograd.grad((spikes * seed).sum(), taken)
        found[run.__name__] = spikes.detach(), gradient
    spikes, gradient = found["fused"]
    return {
        "other_spikes": {name: int((spikes != found[name][0]).sum()) for name in ("stepwise", "plain")},
        "gradient_error": {
            name: float((gradient - found[name][1]).norm() / found[name][1].norm()) for name in ("stepwise", "plain")
        },
        "spikes": int(spikes.sum()),
    }


def snntorch(products: str) -> dict[str, Any]:
    """A loop over `snntorch.Leaky`, in the way of its tutorials."""
    import snntorch
    import torch
    from snntorch import surrogate

    from tests.benchmarks.training import BETA

    cell = snntorch.Leaky(BETA, reset_mechanism="zero", spike_grad=surrogate.atan()).cuda()

    def run(inputs: Any, weight: Any) -> Any:
        membrane = torch.zeros(N_TRIALS, N_NEURONS, device="cuda")
        spikes = []
        for given in inputs:
            spiked, membrane = cell(given @ weight.t(), membrane)
            spikes.append(spiked)
        return torch.stack(spikes)

    return _torch_run(run, products)


def _spikingjelly(products: str, backend: str) -> dict[str, Any]:
    from spikingjelly.activation_based import functional, neuron, surrogate

    from tests.benchmarks.training import BETA

    cell = neuron.LIFNode(
        tau=1.0 / (1.0 - BETA),
        decay_input=False,
        v_reset=0.0,
        detach_reset=True,
        surrogate_function=surrogate.ATan(alpha=2.0),
        step_mode="m",
    ).cuda()
    cell.backend = backend

    def run(inputs: Any, weight: Any) -> Any:
        functional.reset_net(cell)
        return cell(inputs @ weight.t())

    return _torch_run(run, products)


def spikingjelly_cupy(products: str) -> dict[str, Any]:
    """SpikingJelly's multi-step neurons in CuPy, the linear layer hoisted."""
    return _spikingjelly(products, "cupy")


def spikingjelly_triton(products: str) -> dict[str, Any]:
    """The same in Triton."""
    return _spikingjelly(products, "triton")


def norse(products: str) -> dict[str, Any]:
    """A loop over Norse's cell, the linear layer hoisted."""
    import torch
    from norse.torch import LIFBoxCell, LIFBoxParameters

    from tests.benchmarks.training import BETA

    parameters = LIFBoxParameters(
        tau_mem_inv=torch.tensor((1.0 - BETA) / 1e-3, device="cuda"),
        v_leak=torch.tensor(0.0, device="cuda"),
        v_th=torch.tensor(1.0, device="cuda"),
        v_reset=torch.tensor(0.0, device="cuda"),
        alpha=torch.tensor(2.0, device="cuda"),
    )
    cell = LIFBoxCell(parameters, dt=1e-3).cuda()

    def run(inputs: Any, weight: Any) -> Any:
        state, spikes = None, []
        for given in (inputs @ weight.t()) / (1.0 - BETA):
            spiked, state = cell(given, state)
            spikes.append(spiked)
        return torch.stack(spikes)

    return _torch_run(run, products)


def spyx(products: str) -> dict[str, Any]:
    """Spyx: JAX's scan, compiled whole, the linear layer hoisted."""
    import jax
    import jax.numpy as jnp
    import spyx.axn
    import spyx.nn
    from flax import nnx

    from tests.benchmarks.training import BETA

    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if products == "tf32" else "highest")
    cell = spyx.nn.LIF((N_NEURONS,), beta=BETA, activation=spyx.axn.arctan(), rngs=nnx.Rngs(0))
    one, other = jax.random.split(jax.random.key(1))
    inputs = (jax.random.uniform(one, (N_STEPS, N_TRIALS, N_NEURONS)) < 0.1).astype(jnp.float32)
    weight = jax.random.normal(other, (N_NEURONS, N_NEURONS)) * (2.0 / N_NEURONS**0.5)

    @jax.jit
    def step(weight: Any, inputs: Any) -> Any:
        def total(weight: Any) -> Any:
            spikes, _ = spyx.nn.run(cell, inputs @ weight.T)
            return spikes.sum()

        return jax.value_and_grad(total)(weight)

    times = []
    for _ in range(2 + REPEATS):
        start = time.perf_counter()
        value, gradient = jax.block_until_ready(step(weight, inputs))
        times.append((0.0, time.perf_counter() - start))
    statistics_of = jax.devices()[0].memory_stats() or {}
    rate = float(value) / (N_STEPS * N_TRIALS * N_NEURONS)
    return _summary(times[2:], statistics_of.get("peak_bytes_in_use", 0), rate, float(jnp.linalg.norm(gradient)))


LIBRARIES: dict[str, Callable[[str], dict[str, Any]]] = {
    "twinbrain": twinbrain,
    "snntorch": snntorch,
    "spikingjelly-cupy": spikingjelly_cupy,
    "spikingjelly-triton": spikingjelly_triton,
    "norse": norse,
    "spyx": spyx,
}


if __name__ == "__main__":
    print(json.dumps(LIBRARIES[sys.argv[1]](sys.argv[2])))
