"""Open what a person or a file names, regular files alone, as data that never runs; write files whole."""

from twinbrain.files.archive import Archive as Archive
from twinbrain.files.archive import NpzArrays as NpzArrays
from twinbrain.files.archive import read_npy as read_npy
from twinbrain.files.archive import read_npz as read_npz
from twinbrain.files.hdf5 import opened_hdf5 as opened_hdf5
from twinbrain.files.numbers import number as number
from twinbrain.files.numbers import numbers as numbers
from twinbrain.files.regular import FileError as FileError
from twinbrain.files.regular import check_regular as check_regular
from twinbrain.files.regular import check_size as check_size
from twinbrain.files.regular import damaged as damaged
from twinbrain.files.regular import largest as largest
from twinbrain.files.regular import read_bytes as read_bytes
from twinbrain.files.text import decoded as decoded
from twinbrain.files.text import lines_of as lines_of
from twinbrain.files.text import parse_json as parse_json
from twinbrain.files.text import parse_toml as parse_toml
from twinbrain.files.text import read_text as read_text
from twinbrain.files.whole import write_whole as write_whole
