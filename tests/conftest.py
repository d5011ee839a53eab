"""Settings of the whole suite: no screen, no clock, no chance."""

import os

from hypothesis import settings

from tests.s3 import bucket as bucket
from tests.s3 import s3 as s3
from tests.s3 import s3_server as s3_server

os.environ["MPLBACKEND"] = "Agg"  # the environment reaches subprocesses too

settings.register_profile("twinbrain", deadline=None, derandomize=True)
settings.load_profile("twinbrain")
