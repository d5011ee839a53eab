"""Runs, on disk or at a URL: one Zarr group each, written window by window, readable at every moment."""

from twinbrain.store.checkpoint import read_state as read_state
from twinbrain.store.create import check_target as check_target
from twinbrain.store.create import create_run as create_run
from twinbrain.store.create import is_resumable as is_resumable
from twinbrain.store.grown import check_grown as check_grown
from twinbrain.store.info import RunInfo as RunInfo
from twinbrain.store.info import run_info as run_info
from twinbrain.store.layout import ProbeLayout as ProbeLayout
from twinbrain.store.location import Location as Location
from twinbrain.store.memory import MemoryRun as MemoryRun
from twinbrain.store.read import open_run as open_run
from twinbrain.store.read import read_spikes as read_spikes
from twinbrain.store.resume import resume_run as resume_run
from twinbrain.store.temporary import place_for as place_for
from twinbrain.store.training import TrainingStore as TrainingStore
from twinbrain.store.training import create_training as create_training
from twinbrain.store.training import is_training as is_training
from twinbrain.store.training import open_training_store as open_training_store
from twinbrain.store.window import StateData as StateData
from twinbrain.store.window import WindowData as WindowData
from twinbrain.store.writer import RunWriter as RunWriter
