"""Which tests one process takes together, where several processes share them out."""

from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadScopeScheduling

# Their tests share processes that take seconds to start: clusters, and runs to compare with.
TOGETHER = {"tests/run/sharded", "tests/run/sweep"}


class ByModule(LoadScopeScheduling):
    """Give out tests module by module, and those of some folders all at once."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        folder = str(PurePosixPath(module).parent)
        return folder if folder in TOGETHER else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByModule(config, log) if config.getoption("dist") == "loadscope" else None
