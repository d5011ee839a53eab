"""Tasks: what is learned. Each is spike trains of input channels, and what is wanted of the outputs."""
