"""The ends of a network that is trained: where trials come in, and where outputs are read."""

from __future__ import annotations

INPUT = "input"
"""Name of the population whose relays spike as the channels of a trial do."""
READOUT = "readout"
"""Name of the population whose membrane potentials are the outputs."""
RELAY_RECEPTOR = "delta"
INPUT_WEIGHT = 1.0
"""What each spike of a channel brings to its relay (mV): twice the threshold of a relay."""
