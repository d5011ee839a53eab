"""Metrics: how well, how surely, and at what cost something was learned."""
