"""The lowering: from a brain to a network of a few flat blocks and synapse tables."""
