"""Learning: tasks, trainable networks, rules, baselines, and the way back into a declaration."""
