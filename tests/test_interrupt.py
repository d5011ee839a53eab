"""Signals that ask to stop, and contexts that wait for them."""

import os
import signal

import pytest

from twinbrain.interrupt import Interrupt, leave_terminal, stopping_signals


def press():
    signal.raise_signal(signal.SIGINT)


def test_a_first_signal_asks_and_a_second_stops_at_once():
    with Interrupt() as interrupt:
        assert not interrupt.requested
        press()
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            press()


def test_a_signal_within_reaches_those_around():
    with Interrupt() as outermost, Interrupt() as outer:
        with Interrupt() as inner:
            signal.raise_signal(signal.SIGTERM)
            assert [context.requested for context in (inner, outer, outermost)] == [True, True, True]
        with Interrupt() as later:
            assert not later.requested
            with pytest.raises(KeyboardInterrupt):
                press()


def test_what_handled_signals_before_does_so_again():
    before = signal.getsignal(signal.SIGINT)
    with Interrupt(), Interrupt():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


@pytest.fixture
def hangup():
    """Let a terminal that closes end the process, also where the tests are run by nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signal")
@pytest.mark.usefixtures("hangup")
def test_a_terminal_that_closes_asks_to_stop_but_where_that_is_ignored(monkeypatch):
    with Interrupt() as interrupt:
        for _ in range(2):  # one of the shell, and one of the system
            signal.raise_signal(signal.SIGHUP)
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            press()
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN)  # as under nohup
    assert stopping_signals() == [signal.SIGINT, signal.SIGTERM]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="Windows has no such terminals")
def test_what_is_printed_to_a_terminal_that_has_closed_goes_nowhere(tmp_path):
    shell, terminal = os.openpty()
    with open(tmp_path / "printed", "wb", buffering=0) as file:
        leave_terminal([terminal, file.fileno()])
        assert os.isatty(terminal)
        os.close(shell)
        with pytest.raises(OSError, match="Input/output"):
            os.write(terminal, b"more")
        leave_terminal([terminal, file.fileno()])
        os.write(terminal, b"more")
        file.write(b"more")
    os.close(terminal)
    assert (tmp_path / "printed").read_bytes() == b"more"
