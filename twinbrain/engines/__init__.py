"""Engines: what computes a network, step by step; all to the same bits."""
