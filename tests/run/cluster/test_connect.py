"""Connect to clusters of every kind; what would compute wrongly is refused."""

import contextlib
import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from importlib.metadata import version
from types import SimpleNamespace

import dask
import numpy as np
import pytest
from distributed import Client, LocalCluster, Security
from distributed.comm.core import CommClosedError, FatalCommClosedError

import twinbrain as tb
from tests.examples import build_brain, small_brain
from twinbrain.engines.base import get_engine
from twinbrain.interrupt import Interrupt
from twinbrain.run.cluster import address
from twinbrain.run.cluster.connect import comes_with_tasks, connected, dashboard, workers_ready
from twinbrain.run.cluster.tls import security_of
from twinbrain.spec.cluster import Certificates, ClusterProfile

VERSION = re.escape(version("twinbrain"))


def spikes(seed):
    simulation = get_engine("brian2")(build_brain(small_brain(), seed=seed))
    simulation.advance(1000)
    found = simulation.collect().spikes
    return np.array([found.step, found.neuron])


def has_brian2():
    return "brian2" in sys.modules


def process():
    return os.getpid()


@contextlib.contextmanager
def client_of(scheduler, n):
    with Client(scheduler) as client:
        client.wait_for_workers(n)
        yield client


def test_a_network_has_the_same_spikes_in_every_worker(local):
    addresses = sorted(local.nthreads())[:2]
    futures = [local.submit(spikes, seed, workers=[a], pure=False) for a in addresses for seed in (1, 2)]
    found = local.gather(futures)
    for k, seed in enumerate((1, 2, 1, 2)):
        np.testing.assert_array_equal(found[k], spikes(seed))
    assert len(found[0][0]) != len(found[1][0])
    assert len(found[0][0]) > 100


def test_a_local_cluster_has_processes_of_one_thread_and_a_dashboard(local):
    assert list(local.nthreads().values()) == [1, 1, 1]
    assert len({os.getpid(), *local.run(process).values()}) == 4
    assert all(local.run(has_brian2).values())
    with urllib.request.urlopen(dashboard(local)) as page:
        assert page.status == 200


def test_ctrl_c_is_left_to_the_process_that_hands_out_tasks(local):
    address, number = next(iter(local.run(process).items()))
    os.kill(number, signal.SIGINT)
    assert local.submit(process, workers=[address], pure=False).result() == number


@pytest.mark.slow
def test_a_killed_worker_of_a_local_cluster_comes_back_ready():
    with connected(workers=1) as client:
        first = client.submit(process, pure=False).result()
        os.kill(first, 9)
        assert client.submit(process, pure=False).result() != first
        assert client.submit(has_brian2, pure=False).result()


@pytest.mark.slow
def test_a_scheduler_that_is_there_already_is_left_running(scheduler, start_worker):
    start_worker()
    with client_of(scheduler, 1):
        for _ in range(2):
            with connected(scheduler) as client:
                workers_ready(client, 1)
                assert client.submit(spikes, 1, pure=False).result().shape[1] > 100


@pytest.mark.slow
def test_a_worker_that_joins_later_is_made_ready_while_connected_and_left_alone_afterwards(scheduler, start_worker):
    with connected(scheduler) as client:
        start_worker()
        workers_ready(client, 1)
        assert client.submit(has_brian2).result()
    start_worker()
    with client_of(scheduler, 2) as client:
        assert sorted(client.run(has_brian2).values()) == [False, True]


def numba_folder():
    import numba

    return numba.config.CACHE_DIR


def test_workers_that_are_there_already_take_no_code_of_numba_from_beside_a_file_of_a_person(
    scheduler, start_worker, monkeypatch, tmp_path
):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    start_worker(TWINBRAIN_CACHE_DIR=str(tmp_path))
    for found in ("", str(tmp_path / "numba")):
        with connected(scheduler) as client:
            workers_ready(client, 1)
            assert set(client.run(numba_folder).values()) == {found}
            assert all(client.run(has_brian2).values())
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "here"))  # as it is here once such a file was imported


def test_an_unreachable_scheduler_is_named(monkeypatch):
    monkeypatch.setattr(address, "_CONNECT_TIMEOUT", "1s")
    with (
        pytest.raises(
            tb.ClusterError, match=r"expected a scheduler at tcp://127\.0\.0\.1:9, found none .* dask scheduler"
        ),
        connected("tcp://127.0.0.1:9"),
    ):
        pass


def test_workers_with_two_threads_are_refused_by_name(scheduler, start_worker):
    start_worker(n_threads=2)
    with (
        client_of(scheduler, 1) as client,
        pytest.raises(
            tb.ClusterError, match=f"{next(iter(client.nthreads()))}: expected 1 thread, found 2; start it with"
        ),
        connected(scheduler),
    ):
        pass


def test_workers_with_another_twinbrain_are_refused_by_name(scheduler, start_worker, another_version):
    start_worker(PYTHONPATH=another_version)
    start_worker()
    message = rf"found 1 of 2 that might not:\ntcp://\S+: expected twinbrain {VERSION}, found 9\.9; install the same"
    with client_of(scheduler, 2) as client:
        with pytest.raises(tb.ClusterError, match=message), connected(client=client):
            pass
        assert len(client.nthreads()) == 2


def test_workers_with_other_sources_of_the_same_version_are_refused_by_name(scheduler, start_worker, another_checkout):
    start_worker(**another_checkout)
    folder = re.escape(another_checkout["PYTHONPATH"])
    message = rf"tcp://\S+: expected the twinbrain of \S+, found another \(its sources differ\): {folder}/twinbrain; "
    with client_of(scheduler, 1) as client, pytest.raises(tb.ClusterError, match=message), connected(client=client):
        pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ({"PYTHONPATH": "another"}, rf"expected twinbrain {VERSION}, found 9\.9"),
        ({"n_threads": 2}, "expected 1 thread, found 2"),
    ],
)
def test_a_worker_that_joins_later_and_does_not_fit_leaves_without_computing(
    scheduler, start_worker, another_version, tmp_path, start, reason
):
    log = tmp_path / "log"
    if "PYTHONPATH" in start:
        start = {"PYTHONPATH": another_version}
    with connected(scheduler) as client:
        futures = client.map(version_and_process, range(20), pure=False)
        unfit = start_worker(nanny=True, log=log, **start)
        unfit.wait()
        assert "this worker does not fit the process that hands out tasks" in log.read_text()
        assert re.search(reason, log.read_text())
        assert not any(future.done() for future in futures)
        fit = start_worker()
        found = client.gather(futures)
        assert len({number for _, number in found}) == 1
        assert {version for version, _ in found} != {"9.9"}
        assert fit.poll() is None


def version_and_process(_):
    return version("twinbrain"), os.getpid()


def test_a_cluster_of_threads_is_refused_and_left_as_it_is():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        with pytest.raises(tb.ClusterError, match="expected a process of its own, found a thread of this one"):
            connected(client=client).__enter__()
        assert client.submit(process).result() == os.getpid()


def test_a_client_of_the_user_stays_open(local):
    with Client(local.scheduler.address, set_as_default=False) as client:
        with connected(client=client) as same:
            assert same is client
        assert client.submit(process, pure=False).result() != os.getpid()


def test_a_client_that_is_closed_is_refused(local):
    client = Client(local.scheduler.address, set_as_default=False)
    client.close()
    with pytest.raises(tb.ClusterError, match="expected a client that is connected, found one that is closed"):
        connected(client=client).__enter__()


def test_workers_that_do_not_come_are_missed(scheduler):
    with (
        connected(scheduler) as client,
        pytest.raises(tb.ClusterError, match=r"expected 1 workers within 0\.1 s, found 0; see what the scheduler"),
    ):
        workers_ready(client, 1, timeout=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cluster": "slrm"}, 'expected a cluster "local", "slurm" or the address .* found \'slrm\''),
        ({"cluster": "tcp://127.0.0.1:9", "workers": 2}, "expected the workers that tcp://127.0.0.1:9 has"),
        ({"cluster": "tcp://"}, "expected an address such as .* found 'tcp://'"),
        ({"cluster": "tcp://[::1"}, "expected an address such as"),
        ({"cluster": "tcp://[::1]"}, "expected an address such as"),
        ({"cluster": "tcp://host:0"}, "a port from 1 to 65535"),
        ({"cluster": "tcp://host:65536"}, "a port from 1 to 65535"),
        ({"cluster": "tcp://host:port"}, "a port from 1 to 65535"),
        ({"cluster": "tls://[::1]:8786"}, r"expected a profile with certificates for tls://\[::1\]:8786, .* \[tls\]"),
        ({"workers": 0}, "workers: expected a whole number of at least 1, found 0"),
        ({"workers": 1.5}, "workers: expected a whole number of at least 1, found 1.5"),
        ({"client": object()}, r"expected a client of Dask, distributed\.Client, found object"),
        ({"cluster": object()}, r"found object; give client=cluster\.get_client\(\)"),
        ({"profile": "lab.toml"}, 'expected a profile with cluster "slurm" or "tls://…" alone, found \'lab.toml\''),
        ({"cluster": "slurm"}, 'expected a profile with cluster "slurm", found none'),
        ({"cluster": "slurm", "profile": "none.toml"}, "none.toml: expected a file, found none"),
    ],
)
def test_arguments_that_do_not_belong_together_are_refused(arguments, message):
    with pytest.raises(tb.SpecError, match=message):
        connected(**arguments).__enter__()


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_what_is_missing(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from twinbrain.run.cluster.connect import connected\nwith connected(workers=1):\n    pass\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("twinbrain.errors.ClusterError: expected 1 worker processes")
    assert 'under: if __name__ == "__main__":' in done.stderr


def test_workers_are_not_waited_for_where_they_come_with_tasks():
    assert comes_with_tasks(SimpleNamespace(cluster=SimpleNamespace(job_script=str)))
    assert comes_with_tasks(SimpleNamespace(cluster=SimpleNamespace(_adaptive=object())))
    assert not comes_with_tasks(SimpleNamespace(cluster=None))


def test_waiting_for_workers_ends_when_it_is_asked_to():
    client = SimpleNamespace(run=lambda *arguments, **options: {})
    with Interrupt() as interrupt:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            workers_ready(client, timeout=None, interrupt=interrupt)


def test_a_process_that_may_start_no_others_is_told_so(monkeypatch):
    monkeypatch.setattr(
        "twinbrain.run.cluster.local.multiprocessing.current_process", lambda: SimpleNamespace(daemon=True)
    )
    with pytest.raises(tb.ClusterError, match=r"found a daemonic one, as of multiprocessing\.Pool; .* workers=0"):
        connected(workers=1).__enter__()


@pytest.mark.parametrize("cluster", ["local", "tcp://127.0.0.1:9"])
def test_a_configuration_that_asks_for_encryption_is_named(cluster):
    with (
        dask.config.set({"distributed.comm.require-encryption": True}),
        pytest.raises(tb.ClusterError, match=r"found that Dask's configuration asks for it .*REQUIRE_ENCRYPTION"),
    ):
        connected(cluster).__enter__()


def test_certificates_that_are_refused_are_told_from_a_scheduler_that_is_not_there(monkeypatch):
    expired = FatalCommClosedError("TLS certificate does not match")
    expired.__cause__ = ssl.SSLError("certificate has expired")
    for error, message in (
        (expired, "TLS failed: .*certificate has expired.*; see that none has expired"),
        (FatalCommClosedError("TLSV1_ALERT_UNKNOWN_CA"), "TLS failed: TLSV1_ALERT_UNKNOWN_CA"),
        (CommClosedError("refused"), "found none that answered"),
    ):

        def fail(*arguments, error=error, **options):
            raise error

        monkeypatch.setattr(address, "Client", fail)
        with pytest.raises(tb.ClusterError, match=message):
            connected("tcp://127.0.0.1:9").__enter__()


def test_a_key_with_a_passphrase_is_refused_and_none_is_asked_for(tmp_path):
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    made = Security.temporary()
    key = serialization.load_pem_private_key(made.tls_client_key.encode(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    files = {"ca_file": made.tls_ca_file, "cert_file": made.tls_client_cert, "key_file": encrypted.decode()}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    tls = Certificates(**{name: str(tmp_path / name) for name in files})
    with pytest.raises(tb.ClusterError, match="expected a private key that is not encrypted"):
        security_of(ClusterProfile(tls=tls))
