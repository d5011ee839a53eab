"""Which tests one process takes together, where several processes share them out."""

from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadScopeScheduling

# Folders whose tests share what takes seconds to start or to compute: clusters, and runs to compare with.
TOGETHER = {
    "tests/run/cluster": "a local cluster",
    "tests/run/sharded": "a local cluster",
    "tests/run/sweep": "a sweep",
}


class ByModule(LoadScopeScheduling):
    """Give out tests module by module, and those of some folders all at once."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return TOGETHER.get(str(PurePosixPath(module).parent), module)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByModule(config, log) if config.getoption("dist") == "loadscope" else None
