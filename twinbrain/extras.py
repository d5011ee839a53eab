"""Packages that are not installed with the package alone: the extra that holds each."""

from __future__ import annotations

from twinbrain.errors import MissingPackageError

EXTRAS = {
    "torch": "train",
    "snntorch": "train",
    "sklearn": "train",
    "sktime": "train",
    "seglearn": "train",
    "mlxtend": "train",
    "pymetis": "shards",
    "dask_jobqueue": "cluster",
    "s3fs": "s3",
    "nir": "exchange",
    "h5py": "exchange",
    "tvb_data": "data",
}
"""For each package that may be missing, an extra that holds it."""


def named(error: ModuleNotFoundError) -> ModuleNotFoundError:
    """Return the error that says what to install, if the package that was not found is one of an extra's."""
    package = (error.name or "").partition(".")[0]
    if package not in EXTRAS or isinstance(error, MissingPackageError):
        return error
    return MissingPackageError(
        f"expected the package {package}, found none installed: it comes with an extra; pip install "
        f'"twinbrain[{EXTRAS[package]}]"',
        name=error.name,
    )
