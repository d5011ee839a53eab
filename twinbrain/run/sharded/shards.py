"""Into how many shards a brain is to be cut, and whose workers run them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from twinbrain.errors import ClusterError
from twinbrain.interrupt import Interrupt
from twinbrain.network.partition import Partition, check_n_shards, partition
from twinbrain.run.prepare import Prepared, Progress
from twinbrain.run.versions import versions_in_bits
from twinbrain.spec.cluster import ClusterProfile
from twinbrain.spec.plain_numbers import whole
from twinbrain.store import Location
from twinbrain.store.claim import Claim

if TYPE_CHECKING:
    from distributed import Client

    from twinbrain.run.sharded.rank import RankOutcome


@dataclass(frozen=True)
class Shards:
    """How a run is to be sharded.

    Parameters
    ----------
    n : int
        Number of shards.
    client : distributed.Client, optional
        Whose workers to use.
    cluster : str, optional
        What to connect to where there is no client.
    profile : str, Path or ClusterProfile, optional
        What jobs of cluster ``"slurm"`` ask for.
    """

    n: int
    client: Client | None = None
    cluster: str | None = None
    profile: str | Path | ClusterProfile | None = None

    def partition(self, prepared: Prepared) -> Partition:
        """Return the shards of a brain.

        Raises
        ------
        SpecError
            If it has fewer regions than shards.
        """
        return partition(prepared.workflow.brain, prepared.layout, self.n, dt=prepared.grid.dt)

    def run(
        self,
        prepared: Prepared,
        location: Location,
        claim: Claim,
        *,
        start: Literal["create", "resume"],
        overwrite: bool = False,
        progress: Progress,
    ) -> tuple[RankOutcome, ...]:
        """Run a brain to its end; see `twinbrain.run.sharded.gang.run_gang`."""
        check_n_shards(self.n, len(prepared.layout.regions))
        _check_installed()
        from twinbrain.run.sharded.gang import PATIENCE, run_gang

        shards = self.partition(prepared)
        from twinbrain.run.cluster.connect import starting

        with Interrupt() as interrupt, ExitStack() as stack:
            with starting(interrupt):
                client = stack.enter_context(self._client(versions_in_bits(prepared.workflow.run.engine)))
            return run_gang(
                client,
                prepared,
                shards,
                location.absolute(),
                claim,
                start=start,
                overwrite=overwrite,
                progress=progress,
                interrupt=interrupt,
                patience=math.inf if self.cluster == "slurm" else PATIENCE,  # a queue may be long
            )

    @contextmanager
    def _client(self, packages: Iterable[str]) -> Iterator[Client]:
        from twinbrain.run.cluster.connect import connected
        from twinbrain.spec.load import load_profile

        n = self.n if self.client is None and self.cluster in (None, "local", "slurm") else None
        profile = self.profile
        if self.cluster == "slurm" and profile is not None:  # all are needed at once, and before there are tasks
            found = profile if isinstance(profile, ClusterProfile) else load_profile(profile)
            profile = found.model_copy(update={"minimum": None})
        with connected(self.cluster, client=self.client, workers=n, profile=profile, packages=packages) as client:
            yield client


def shards_on(
    n: int | None,
    *,
    client: Client | None = None,
    cluster: str | None = None,
    profile: str | Path | ClusterProfile | None = None,
) -> Shards | None:
    """Return how a run is to be sharded, or None where it is not.

    Parameters
    ----------
    n : int, optional
        Number of shards; one is the whole brain in this process.
    client, cluster, profile : optional
        Whose workers to use; see `twinbrain.run.cluster.connect.connected`.

    Raises
    ------
    SpecError
        If it is no whole number of at least one.
    ClusterError
        If workers are given but no shards for them.
    """
    n = None if n is None else whole("shards", n)
    if n in (None, 1) and (client, cluster, profile) != (None, None, None):
        raise ClusterError(
            f"expected the number of shards beside the workers to run them, 2 or more, found {n or 'none'}; give it "
            "with shards (--shards), or leave out the cluster: a whole brain is run in this process"
        )
    return None if n in (None, 1) else Shards(n, client, cluster, profile)


def _check_installed() -> None:
    for module, name in (("torch", "PyTorch"), ("pymetis", "pymetis")):
        if find_spec(module) is None:
            raise ClusterError(
                f'expected {name} for a brain in shards, found none installed; pip install "twinbrain[shards]"'
            )
