"""Tests of what needs an extra are skipped by name where the extra is not installed."""

import pytest

from twinbrain.extras import EXTRAS

# Beside what the package itself may lack, what the tests alone use.
PACKAGES = EXTRAS | {"boto3": "dev", "moto": "dev", "libsonata": "dev"}


def reason(error):
    """Return why a test is skipped that ends in an error, or None if it is not."""
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return f"needs the package {package}, of the extra {PACKAGES[package]}" if package in PACKAGES else None


class Module(pytest.Module):
    """A file of tests, skipped as a whole where it imports what is not installed."""

    def _getobj(self):
        try:
            return super()._getobj()
        except self.CollectError as error:
            if (text := reason(error.__cause__)) is None:
                raise
            pytest.skip(text, allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    """Give each file of tests as one that may be skipped."""
    return Module.from_parent(parent, path=module_path)


def _skipping():
    try:
        return (yield)
    except ModuleNotFoundError as error:
        if (text := reason(error)) is None:
            raise
        pytest.skip(text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Skip a test whose fixtures need what is not installed."""
    return (yield from _skipping())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Skip a test that needs what is not installed."""
    return (yield from _skipping())
