"""Diagnosis of a rule on a network: its angle to the gradient, its memory, and the health of gradients."""
