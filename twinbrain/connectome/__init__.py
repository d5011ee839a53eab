"""Connectomes: read, write, load by name, make up, normalise."""

from twinbrain.connectome.datasets import connectome_names as connectome_names
from twinbrain.connectome.load import load_connectome as load_connectome
from twinbrain.connectome.normalise import normalisation_names as normalisation_names
from twinbrain.connectome.normalise import normalise as normalise
from twinbrain.connectome.read import read_connectome as read_connectome
from twinbrain.connectome.rewire import rewire as rewire
from twinbrain.connectome.synthetic import synthetic_connectome as synthetic_connectome
from twinbrain.connectome.write import write_connectome as write_connectome
from twinbrain.spec.connectome import Connectome as Connectome
