"""The kernels of a step that are the same for every model; imported where there is Triton.

``clock`` holds the next step, the place of this step in its chunk, and the number of spikes of the chunk; nothing of it
passes through the host, so that a graph can repeat the kernels. Spikes are kept as ``network * n_neurons + neuron``;
``spike_start[k]`` is where those of the chunk's step k begin.
"""

# Compiled functions have no type hints: Triton infers their types.
# mypy: disable-error-code="no-untyped-def, untyped-decorator"

from __future__ import annotations

import triton
import triton.language as tl

from twinbrain.engines.torch.triton_functions import philox_word


@triton.jit
def draw(
    clock,
    ring,
    width,
    n_slots,
    element,
    first_key,
    second_key,
    place,
    weight,
    offset,
    first_step,
    last_step,
    group,
    thresholds,
    n_thresholds: tl.constexpr,
    n,
    BLOCK: tl.constexpr,
):
    """Add to this step's slot of the ring what the drives give."""
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    here = i < n
    step = tl.load(clock)
    word = philox_word(
        tl.load(element + i, mask=here, other=0).to(tl.uint32),
        ((step // 4) & 0xFFFFFFFF).to(tl.uint32),
        ((step // 4) >> 32).to(tl.uint32),
        step % 4,
        tl.load(first_key + i, mask=here, other=0).to(tl.uint32),
        tl.load(second_key + i, mask=here, other=0).to(tl.uint32),
    ).to(tl.int64)
    row = thresholds + tl.load(group + i, mask=here, other=0) * n_thresholds
    count = tl.zeros([BLOCK], tl.int32)
    for k in range(n_thresholds):
        count += (word >= tl.load(row + k)).to(tl.int32)
    first = tl.load(first_step + i, mask=here, other=0)
    last = tl.load(last_step + i, mask=here, other=0)
    count -= tl.load(offset + i, mask=here, other=0)
    amount = tl.load(weight + i, mask=here, other=0) * count
    target = ring + (step % n_slots) * width + tl.load(place + i, mask=here, other=0)
    tl.atomic_add(target, amount, mask=here & (first <= step) & (step < last), sem="relaxed")


@triton.jit
def deliver(
    clock,
    spikes,
    spike_start,
    first_row,
    row_start,
    row_length,
    post,
    weight,
    delay,
    ring,
    width,
    n_slots,
    n_neurons,
    n_inlets,
    BLOCK: tl.constexpr,
):
    """Add the synapses of this step's spikes to the ring: integers, so the order of the additions does not matter."""
    step = tl.load(clock)
    first = tl.load(spike_start + tl.load(clock + 1)).to(tl.int32)
    last = tl.load(clock + 2).to(tl.int32)
    for s in range(first + tl.program_id(0), last, tl.num_programs(0)):
        spike = tl.load(spikes + s).to(tl.int64)
        network = spike // n_neurons
        row = tl.load(first_row + network) + spike % n_neurons
        begin = tl.load(row_start + row)
        length = tl.load(row_length + row).to(tl.int32)
        for j in range(tl.program_id(1) * BLOCK, length, tl.num_programs(1) * BLOCK):
            k = j + tl.arange(0, BLOCK)
            here = k < length
            due = tl.load(delay + begin + k, mask=here, other=0) + (step + 1)
            place = (due % n_slots) * width + network * n_inlets + tl.load(post + begin + k, mask=here, other=0)
            tl.atomic_add(ring + place, tl.load(weight + begin + k, mask=here, other=0), mask=here, sem="relaxed")


@triton.jit
def tick(clock, spike_start):
    """End the step."""
    place = tl.load(clock + 1) + 1
    tl.store(spike_start + place, tl.load(clock + 2))
    tl.store(clock + 1, place)
    tl.store(clock, tl.load(clock) + 1)
