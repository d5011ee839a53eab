"""Baselines: what a trained region is compared with, each of one budget and in one harness.

Every baseline is a `torch.nn.Module` with one convention: input (step, trial, feature), output (step, trial, output).
What a step is, is the baseline's `view`: a step of spikes, a frame of features, or the whole trial as a single step.
"""
