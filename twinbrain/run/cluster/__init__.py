"""Where tasks run: on this machine, on a scheduler that is there already, or in jobs of Slurm."""
