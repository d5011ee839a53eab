"""What is said when a store at a URL cannot be reached or refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twinbrain.errors import StoreError
from twinbrain.store.file_systems import file_system

_CREDENTIALS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"


class RemoteError(StoreError):
    """A store at a URL that cannot be reached or refuses.

    Parameters
    ----------
    url : str
        The store.
    reason : str
        What is wrong.
    remedy : str
        What to do.
    """

    def __init__(self, url: str, reason: str, remedy: str) -> None:
        super().__init__(f"cannot use the store {url}: {reason}; {remedy}")
        self.url, self.reason, self.remedy = url, reason, remedy

    def __reduce__(self) -> tuple[type[RemoteError], tuple[str, str, str]]:
        return RemoteError, (self.url, self.reason, self.remedy)


def is_missing(error: OSError) -> bool:
    """Return whether an error of fsspec says that there is no such object, and not that there is no such bucket."""
    missing = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
    return isinstance(error, missing) and _code(error) != "NoSuchBucket"


def is_taken(error: OSError) -> bool:
    """Return whether an error of fsspec says that there is such an object already."""
    return isinstance(error, FileExistsError) or _code(error) in ("PreconditionFailed", "ConditionalRequestConflict")


@contextmanager
def naming_the_fault(url: str) -> Iterator[None]:
    """Turn whatever a file system raises into a `RemoteError`."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        raise RemoteError(url, *_explain(url, error)) from error


def _explain(url: str, error: Exception) -> tuple[str, str]:
    """Return what is wrong, and what to do."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    bucket = url.partition("://")[2].partition("/")[0]
    is_s3 = url.startswith(("s3://", "s3a://"))
    where = f"bucket {bucket!r}{_endpoint(url)}" if is_s3 else url
    address = "AWS_ENDPOINT_URL" if is_s3 else "the address"
    code = _code(error)
    said = " ".join(str(error).split()) or type(error).__name__
    if code == "NoSuchBucket":
        return f"there is no {where}", "create the bucket, or name another"
    if kinds & {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"}:
        return f"no credentials for {where} ({said})", f"set {_CREDENTIALS}"
    if isinstance(error, PermissionError):
        return f"{where} refuses the credentials ({code or 'access denied'}: {said})", f"check {_CREDENTIALS}"
    if kinds & {"ConnectionError", "HTTPClientError", "ClientError", "TimeoutError", "gaierror"} and not code:
        return f"{where} cannot be reached ({said})", f"check {address} and the network"
    if isinstance(error, ValueError):
        others = "the other settings of S3" if is_s3 else "what is there"
        return f"{where} cannot be asked ({said})", f"check {address} and {others}"
    if "ParamValidationError" in kinds:
        return f"{bucket!r} cannot be the name of a bucket ({said})", "name another"
    return f"{where} answered {code or type(error).__name__}: {said}", "see whether the service works and has room"


def _endpoint(url: str) -> str:
    # Asked of the client itself, since it may come from the environment, a file, or Amazon's own list.
    client = getattr(file_system(url)[0], "_s3", None)
    return f" at {client.meta.endpoint_url}" if client is not None else ""


def _code(error: BaseException) -> str:
    """Return the code of S3's answer that led to an error, or nothing."""
    for link in (error, error.__cause__):
        response = getattr(link, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return ""
