# Every target that needs an environment makes it by itself: .venv, from pyproject.toml and constraints.txt.
PYTHON ?= python3
# Of tests: one more than two cores, since some tests wait for servers, disks and other processes.
WORKERS ?= 3
FILES ?= 2000
SEED ?= 0

# Tests start hundreds of processes: each would compile the package anew where an environment keeps no bytecode.
unexport PYTHONDONTWRITEBYTECODE

BIN := $(CURDIR)/.venv/bin
READY := .venv/.ready
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint types layers pytest wheel fuzz bench docs pages models slurm format clean

help:
	@echo "make demo     run the resting-state workflow and draw its summary figure"
	@echo "make test     every check: style, types, layers, tests, and the built wheel"
	@echo "make test-all every check, and the tests that take minutes: whole networks against their papers, a million steps of every model"
	@echo "make fuzz     read thousands of mutated files of every kind"
	@echo "make bench    measure speed and memory"
	@echo "make docs     build the documentation"
	@echo "make pages    run every page of the documentation in full (hours)"
	@echo "make models   write the reference page of the models from their cards"
	@echo "make slurm    install Slurm (Debian, as root) and test jobs of it"
	@echo "make format   format the code and fix what can be fixed"
	@echo "make clean    remove .venv, caches and build outputs; results in runs/ stay"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "twinbrain needs Python 3.11 or newer; name one with: make PYTHON=python3.11"; exit 1; }
	@echo "== environment: installing into .venv (a few minutes the first time)"
	@$(PYTHON) -m venv .venv
	@$(PIP_INSTALL) -c constraints.txt -e ".[data,dev,train]"
	@touch $@

demo: $(READY)
	@$(BIN)/twinbrain run resting_state --overwrite

# Two of the short checks at a time, and then the tests, which take all cores by themselves.
test: $(READY)
	@$(MAKE) --no-print-directory -j 2 types wheel lint layers
	@$(MAKE) --no-print-directory pytest
	@echo "== all checks passed"

test-all: test
	@echo "== slow tests"
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m slow

lint: $(READY)
	@echo "== style"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "Some files are not formatted; run: make format"; exit 1; }

types: $(READY)
	@echo "== types"
	@$(BIN)/mypy

layers: $(READY)
	@echo "== layers"
	@$(BIN)/lint-imports

# Files in their order: if those of many tests came first, the few of long tests would end on one core.
pytest: $(READY)
	@echo "== tests"
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadscope --no-loadscope-reorder

# The wheel is built from the sdist, installed outside the checkout, and checked from there.
wheel: $(READY)
	@echo "== wheel"
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	{ $(BIN)/python -m build --no-isolation --outdir "$$folder/dist" . > "$$folder/log" 2>&1 || \
		{ cat "$$folder/log"; exit 1; }; } && \
	$(PIP_INSTALL) --no-deps --target "$$folder/site" "$$folder"/dist/*.whl && \
	cd "$$folder" && PYTHONPATH="$$folder/site" $(BIN)/python -m pytest -q -p no:cacheprovider \
		"$(CURDIR)/tests/wheel/check_installed.py"

# Two thousand mutated files of every kind: no code, no traceback, no hang, no more than a gigabyte.
fuzz: $(READY)
	@$(BIN)/python -m tests.attacks.fuzz --files $(FILES) --seed $(SEED)

bench: $(READY)
	@$(BIN)/python tests/benchmarks/run.py

# Notebooks are pages with code cells: they are run, and an error in one fails the build.
docs: .venv/.ready-docs
	@$(BIN)/python -m sphinx -q -E -W --keep-going -C -D project=twinbrain -D extensions=myst_nb -D myst_heading_anchors=2 -D root_doc=README \
		-D suppress_warnings=toc.not_included -D nb_execution_mode=force -D nb_execution_raise_on_error=1 -D nb_execution_timeout=600 \
		-D nb_execution_in_temp=1 -D nb_merge_streams=1 -D nb_output_stderr=remove -D exclude_patterns=_build docs docs/_build/html
	@echo "Built docs/_build/html/README.html"

# Every page in full, as a reader would run it: hours, since studies of learning are among them.
pages: $(READY)
	@TWINBRAIN_PAGES=whole $(BIN)/python -m pytest -q tests/docs/test_pages.py

models: $(READY)
	@$(BIN)/python -m twinbrain.models.page > docs/reference/models.md.new
	@mv docs/reference/models.md.new docs/reference/models.md

.venv/.ready-docs: $(READY)
	@echo "== environment: adding what the documentation needs"
	@$(PIP_INSTALL) -c constraints.txt -e ".[docs]"
	@touch $@

# Without it, the tests of jobs are skipped.
slurm: $(READY)
	@command -v slurmctld munged > /dev/null || { apt-get -qq update && apt-get -qq install -y slurm-wlm munge; }
	@$(BIN)/python -m pytest -q tests/faults/test_slurm.py

format: $(READY)
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist docs/_build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
