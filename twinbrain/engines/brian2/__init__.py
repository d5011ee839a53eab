"""The Brian2 engine."""

from twinbrain.engines.brian2.simulation import Brian2Simulation, prepare

__all__ = ["Brian2Simulation", "prepare"]
