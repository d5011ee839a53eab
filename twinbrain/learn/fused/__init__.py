"""Steps of a program with gradients: one at a time, and many in one kernel."""
