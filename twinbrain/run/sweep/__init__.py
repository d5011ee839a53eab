"""Sweeps: many runs of one workflow, each point reduced beside its simulation and kept in one store."""
