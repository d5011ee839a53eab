"""Runs on S3: what holds on a disk holds there too."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import boto3
import numpy as np
import pytest
from moto.core import enable_iam_authentication

from twinbrain.errors import StoreError
from twinbrain.store import Location, check_target, open_run, read_spikes, read_state, resume_run, run_info


@pytest.fixture
def url(bucket):
    return f"{bucket}/runs/example.zarr"


@pytest.fixture
def contents(example):
    return lambda url: example.contents(open_run(url))


def test_a_run_is_the_same_as_on_a_disk(example, url, contents, uninterrupted):
    writer = example.create(url)
    assert contents(url) == uninterrupted(0)
    example.commit(writer, range(3))
    assert contents(url) == uninterrupted(3)
    example.commit(resume_run(url)[0], range(3, 5))
    assert contents(url) == uninterrupted(5)


def test_a_run_in_memory_is_the_same_too(example, contents, uninterrupted):
    example.commit(example.create("memory://test_s3/run.zarr"), range(3))
    assert contents("memory://test_s3/run.zarr") == uninterrupted(3)


@pytest.mark.slow
def test_spikes_state_and_what_it_is_are_read(example, url):
    example.commit(example.create(url), range(3))
    expected = np.concatenate([example.window(k).time_step for k in range(3)])
    np.testing.assert_array_equal(read_spikes(url)["time_step"], expected)
    np.testing.assert_array_equal(
        read_spikes(url, 100, 150)["time_step"], expected[(expected >= 1000) & (expected < 1500)]
    )
    assert read_state(url).step == 3 * example.WINDOW_STEPS
    info = run_info(url)
    assert (info.path, info.committed, info.n_spikes) == (url, 210.0, len(expected))
    assert info.n_bytes == sum(info.n_bytes_of.values()) + len(Location.of(url).read("zarr.json"))
    assert info.to_dict()["path"] == url


@pytest.mark.slow
def test_what_is_opened_stays_as_it_was_while_the_run_goes_on(example, url, uninterrupted):
    writer = example.commit(example.create(url), range(2))
    before = open_run(url)
    example.commit(writer, range(2, 4))
    for name in ("spikes/time_step", "rate/rate"):
        assert before[name].values.tolist() == uninterrupted(2)[f"/{name}"][2]
    assert example.contents(open_run(url)) == uninterrupted(4)


@pytest.mark.slow
def test_a_run_killed_at_any_moment_holds_whole_windows_and_resumes(example, url, contents, uninterrupted):
    draw = random.Random(6)
    command = [sys.executable, "-W", "error", Path(__file__).with_name("example.py"), url]
    n_windows, process = [], None
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writers:
        try:
            for _ in range(3):
                writers.stdin.write("\n")
                writers.stdin.flush()
                process = int(writers.stdout.readline())
                before = n_windows[-1] if n_windows else 0
                while n_committed(example, url) <= before:
                    time.sleep(0.02)
                time.sleep(draw.uniform(0.0, 0.3))
                os.kill(process, signal.SIGKILL)
                assert writers.stdout.readline() == "killed\n"
                process = None
                n_windows.append(n_committed(example, url))
                assert contents(url) == uninterrupted(n_windows[-1])
        finally:
            if process:
                os.kill(process, signal.SIGKILL)
    writer, _, state = resume_run(url)
    assert state.step == n_windows[-1] * example.WINDOW_STEPS
    example.commit(writer, [n_windows[-1]])
    assert contents(url) == uninterrupted(n_windows[-1] + 1)


def n_committed(example, url):
    try:
        return round(run_info(url).committed / (example.WINDOW_STEPS * example.DT))
    except StoreError:  # not created yet
        return 0


@pytest.mark.slow
def test_a_run_is_replaced_only_if_asked_for_and_anything_else_never(example, url, contents, uninterrupted):
    example.commit(example.create(url), range(2))
    with pytest.raises(StoreError, match=f"found a run: {url}; replace it with overwrite=True"):
        example.create(url)
    assert contents(url) == uninterrupted(2)
    example.create(url, overwrite=True)
    assert contents(url) == uninterrupted(0)

    other = Location.of(url.replace("example", "other"))
    other.write("mine", b"1")
    for overwrite in (False, True):
        with pytest.raises(StoreError, match="found a folder that is no twinbrain run"):
            check_target(other, overwrite=overwrite)
        with pytest.raises(StoreError, match="found a file"):
            check_target(other.child("mine"), overwrite=overwrite)
    assert other.read("mine") == b"1"


def test_a_second_writer_is_noticed(example, url, contents, uninterrupted):
    writer = example.commit(example.create(url), range(1))
    example.commit(resume_run(url)[0], range(1, 2))
    with pytest.raises(StoreError, match="found it changed or gone"):
        example.commit(writer, [1])
    assert contents(url) == uninterrupted(2)


def test_what_is_no_run_is_not_opened(bucket):
    for read in (open_run, run_info, resume_run, read_state):
        with pytest.raises(StoreError, match=f"expected a run, found nothing: {bucket}/none.zarr; check the path"):
            read(f"{bucket}/none.zarr")


def test_a_bucket_that_is_not_there_is_named(example, s3):
    where = f"there is no bucket 'missing' at {s3.url}"
    for write in (check_target, example.create):
        with pytest.raises(
            StoreError, match=f"cannot write the run s3://missing/run.zarr: {where}; nothing was recorded; create the"
        ):
            write("s3://missing/run.zarr")
    for read in (open_run, run_info, resume_run):
        with pytest.raises(StoreError, match=f"{where}; create the bucket"):
            read("s3://missing/run.zarr")


def test_missing_credentials_are_named(url, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    for use in (check_target, run_info):
        with pytest.raises(StoreError, match=r"no credentials for bucket 'bucket-\d+'.*set AWS_ACCESS_KEY_ID and"):
            use(url)


def test_wrong_credentials_are_named(url):
    for use in (check_target, run_info):
        with (
            enable_iam_authentication(),
            pytest.raises(StoreError, match=r"refuses the credentials \(InvalidAccessKeyId.*check AWS_ACCESS_KEY_ID"),
        ):
            use(url)


@pytest.mark.slow
def test_credentials_that_may_only_read_are_found_out_before_anything_runs(example, url, s3, monkeypatch):
    example.commit(example.create(url), range(1))
    iam = boto3.client("iam")
    iam.create_user(UserName="reader")
    allowed = {"Effect": "Allow", "Action": ["s3:List*", "s3:Get*"], "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    iam.close()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    with enable_iam_authentication():
        assert run_info(url).committed == 70.0
        with pytest.raises(StoreError, match=r"refuses the credentials \(AccessDenied"):
            check_target(url, overwrite=True)


def test_an_endpoint_that_is_down_is_named(url, s3, monkeypatch):
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")  # as users have it
    s3.stop()
    for use in (check_target, run_info):
        with pytest.raises(StoreError, match=f"at {s3.url} cannot be reached .*; check AWS_ENDPOINT_URL and the net"):
            use(url)


def test_an_endpoint_that_is_no_url_is_named(monkeypatch, s3):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:9000")
    with pytest.raises(StoreError, match=r"cannot be asked \(Invalid endpoint.*check AWS_ENDPOINT_URL"):
        check_target("s3://bucket/run.zarr")


def test_a_name_that_no_bucket_can_have_is_refused(s3):
    with pytest.raises(StoreError, match=r"'not a bucket' cannot be the name of a bucket.*name another"):
        check_target("s3://not a bucket/run.zarr")


@pytest.mark.slow
def test_if_the_endpoint_goes_down_all_that_was_committed_stays_and_the_run_goes_on(
    example, url, s3, contents, uninterrupted
):
    writer = example.commit(example.create(url), range(2))
    tree = open_run(url)
    s3.stop()
    with pytest.raises(
        StoreError, match=r"cannot be reached .*stays readable, up to 140 ms; check AWS_ENDPOINT_URL.*then resume"
    ):
        example.commit(writer, [2])
    with pytest.raises(StoreError, match=r"cannot use the store s3://.* cannot be reached"):
        tree["rate/rate"].load()
    s3.start()
    assert contents(url) == uninterrupted(2)
    example.commit(writer, [2])
    example.commit(resume_run(url)[0], range(3, 5))
    assert contents(url) == uninterrupted(5)


def test_no_array_is_filled_with_zeros_where_a_bucket_is_gone(example, url, s3):
    example.commit(example.create(url), range(2))
    tree = open_run(url)
    client = boto3.client("s3")
    name = url.split("/")[2]
    for entry in client.list_objects_v2(Bucket=name)["Contents"]:
        client.delete_object(Bucket=name, Key=entry["Key"])
    client.delete_bucket(Bucket=name)
    client.close()
    with pytest.raises(StoreError, match="there is no bucket"):
        tree["rate/rate"].load()
