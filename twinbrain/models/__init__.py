"""Neuron and receptor models, and the step that they compute."""
