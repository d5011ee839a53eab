"""Brian2 in a process that is somebody else's."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import twinbrain as tb
from twinbrain.models.brian import import_brian2


def test_a_thread_that_would_import_brian2_first_is_told_where_it_belongs(monkeypatch):
    monkeypatch.delitem(sys.modules, "brian2", raising=False)
    with ThreadPoolExecutor(1) as pool, pytest.raises(tb.EngineError, match="found another thread; put import brian2"):
        pool.submit(import_brian2).result()
