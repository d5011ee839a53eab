"""A workflow that runs in no time, as files: three regions of twelve neurons."""

WEIGHTS = "to\tCX-0\tCX-1\tTH-0\nCX-0\t0\t2\t1\nCX-1\t1\t0\t2\nTH-0\t1\t1\t0\n"
LENGTHS = "to\tCX-0\tCX-1\tTH-0\nCX-0\t0\t20\t10\nCX-1\t20\t0\t15\nTH-0\t10\t15\t0\n"

REGION = """
name = "test/pair"

[cells.cell]
model = "lif_current"
receptors = ["exponential_current"]
parameters = { t_ref = "2 ms" }

[populations]
exc = { cell = "cell", size = 8 }
inh = { cell = "cell", size = 4, transmitter = "gaba" }

[[projections]]
source = "exc"
target = "inh"
receptor = "exponential_current"
connect = { probability = 0.5 }
weight = "200 pA"
delay = "1.5 ms"

[[drives]]
population = "exc"
receptor = "exponential_current"
rate = "1 kHz"
weight = "500 pA"

[ports]
outputs = ["exc"]
inputs = { exc = { share = 1, glutamate = "exponential_current" } }
"""

WORKFLOW = """
summary = "Three regions of twelve neurons."

[run]
duration = "40 ms"
window = "20 ms"
engine = "reference"

[brain]
connectome = "weights.tsv"

[brain.regions]
"*" = "pair.toml"

[brain.long_range]
in_degree = 2
weight = "100 pA"

[[stimuli]]
name = "pulse"
regions = "TH-*"
population = "exc"
receptor = "exponential_current"
rate = "2 kHz"
weight = "500 pA"
start = "10 ms"
duration = "5 ms"

[[record.state]]
variable = "v"
"""

FILES = {"weights.tsv": WEIGHTS, "weights_length.tsv": LENGTHS, "pair.toml": REGION, "small.toml": WORKFLOW}


def write_files(folder):
    """Put the workflow, ``small.toml``, and all that it needs into a folder."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
