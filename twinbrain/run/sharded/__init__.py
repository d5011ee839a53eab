"""One brain on many workers: shards that exchange spikes, and a gang of tasks that begins again where one is lost."""
