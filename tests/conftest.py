"""Settings of the whole suite: no screen, no clock, no chance."""

import gc
import os
import sys

import pytest
from hypothesis import settings

from tests.optional import pytest_pycollect_makemodule as pytest_pycollect_makemodule
from tests.optional import pytest_runtest_call as pytest_runtest_call
from tests.optional import pytest_runtest_setup as pytest_runtest_setup
from tests.s3 import bucket as bucket
from tests.s3 import s3 as s3
from tests.s3 import s3_server as s3_server
from tests.scheduling import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler

os.environ["MPLBACKEND"] = "Agg"  # the environment reaches subprocesses too

settings.register_profile("twinbrain", deadline=None, derandomize=True)
settings.load_profile("twinbrain")


def pytest_collection_finish(session):
    """Let no collection of garbage look at what was imported and collected, in each of thousands of tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def numba_keeps_code_where_it_did():
    """Take back that code is kept apart, as from a file of a person's own on: all would be compiled there anew."""
    before = os.environ.get("NUMBA_CACHE_DIR")
    yield
    if os.environ.get("NUMBA_CACHE_DIR") != before:
        os.environ.pop("NUMBA_CACHE_DIR")
        if before is not None:
            os.environ["NUMBA_CACHE_DIR"] = before
        if "numba" in sys.modules:
            sys.modules["numba"].config.CACHE_DIR = before or ""
