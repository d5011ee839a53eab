"""Run workflows: prepare, simulate window by window, resume."""
