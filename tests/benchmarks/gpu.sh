#!/bin/bash
# All that is measured and checked on a GPU, each part whatever becomes of the others: tests/benchmarks/gpu.sh FOLDER
set -u
out=$1
mkdir -p "$out"
export TWINBRAIN_CACHE_DIR=${TWINBRAIN_CACHE_DIR:-/tmp/twinbrain-cache} PYTHONUNBUFFERED=1

part() {
    local name=$1 seconds=$2
    shift 2
    echo "== $name"
    timeout "$seconds" "$@" >"$out/$name.txt" 2>&1
    echo "exit $?"
    tail -n 4 "$out/$name.txt"
}

# Without the suite's settings: other versions of packages warn of other things.
pytest() {
    python3 -m pytest -q -c /dev/null --rootdir=. --import-mode=importlib --noconftest -p no:cacheprovider "$@"
}
export -f pytest

nvidia-smi >"$out/machine.txt" 2>&1
part programs 60 python3 -c "from tests.learn.fused.programs import library_blocks; print(len(library_blocks()))"
part fused 110 bash -c "pytest -n 8 tests/gpu/test_fused.py"
part halves 40 bash -c "pytest tests/gpu/test_halves.py"
part trained 80 bash -c "pytest tests/gpu/test_training.py"
part training_gpu 230 python3 -c "
from pathlib import Path
from tests.benchmarks.training_gpu import measure_all
for row in measure_all(Path('$out')):
    print(row)"
part conformance 90 bash -c "pytest -n 4 tests/gpu/test_conformance.py"
part microcircuit 130 python3 -c "
from tests.benchmarks.microcircuit import measure_on_a_gpu
print(measure_on_a_gpu())"
