"""One brain on many workers: shards that exchange spikes, and a gang of tasks that begins again where one is lost."""

from twinbrain.run.sharded.shards import Shards as Shards
from twinbrain.run.sharded.shards import shards_on as shards_on
