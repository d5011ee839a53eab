"""A job of Slurm that may be refused: what `sbatch` said is kept with it, for who looks after jobs."""

from __future__ import annotations

from dask_jobqueue.slurm import SLURMJob
from distributed.deploy.spec import ProcessInterface


class Job(SLURMJob):
    """A job that counts as started though it was refused, since Dask would neither tell of it nor try it again.

    Attributes
    ----------
    refusal : str
        The words of ``sbatch``; empty where it took the job.
    """

    refusal = ""

    async def start(self) -> None:
        """Submit the job."""
        try:
            await super().start()
        except (RuntimeError, ValueError, OSError) as error:
            text = str(error)
            self.refusal = text.partition("stderr:\n")[2].strip() or text
            await ProcessInterface.start(self)
