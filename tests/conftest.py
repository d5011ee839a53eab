"""Settings of the whole suite: no screen, no clock, no chance."""

import os

from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"  # the environment reaches subprocesses too

settings.register_profile("twinbrain", deadline=None, derandomize=True)
settings.load_profile("twinbrain")
