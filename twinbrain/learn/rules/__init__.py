"""Rules: how a network that has seen trials changes; one a file, behind one interface."""
