# One definition of every check; CI and people call the same recipes.
# Needs Python 3.11 or newer and make. Every recipe does its own set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.locked
BROWSER := $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome))

# All workers of the tests, and every program that they start, read what one has compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-browser check lint types test tests demo bench evaluate soak tamper fuzz lock fmt samples schema docs clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(STAMP) ## Make .venv with the locked dependencies; needs no root

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=..." if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

setup-browser: ## Install Debian's Chromium for the browser tests; needs root
ifeq ($(BROWSER),)
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core
endif

check: lint types ## Lint, types, docstrings, import contracts

lint: setup
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/interrogate --quiet cli.py provenance graph detectors workspace api commands samples
	$(BIN)/lint-imports --no-cache

types: setup
	$(BIN)/mypy

# Types take a minute of one core, so the tests begin beside them; either failing is a failure.
test: setup setup-browser lint ## Everything that CI runs
	@$(MAKE) --no-print-directory --jobs 2 types tests

# Tests wait for discs, processes and each other: three workers keep two cores busy.
tests: setup
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

demo: setup ## The whole path on the samples, in a temporary workspace
	$(BIN)/provenance demo

bench: setup ## Speed, as ratios to calibrations measured in the same run
	@for script in benchmarks/bench_*.py; do echo "== $$script"; PYTHONPATH=. $(BIN)/python $$script || exit 1; done

evaluate: setup ## Quality of the flags on fresh worlds; writes the tables of docs/evaluation.md
	PYTHONPATH=. $(BIN)/python benchmarks/evaluate.py --seeds $(or $(SEEDS),3) --output docs/evaluation.md

soak: setup ## Kill two writers ROUNDS=200 times, and an ingest of ROWS=1000000 KILLS=10 times
	nice $(BIN)/python tests/soak/soak.py --rounds $(or $(ROUNDS),200) --minutes $(or $(MINUTES),0)
	nice $(BIN)/python tests/soak/ingest_soak.py --rows $(or $(ROWS),1000000) --kills $(or $(KILLS),10)

tamper: setup ## Change CHANGES=1000 single bytes of a log; each must be told, with its place
	nice $(BIN)/python tests/soak/tamper.py --changes $(or $(CHANGES),1000)

fuzz: setup ## Spoilt bytes for every parser, for SECONDS=600
	PYTHONPATH=. nice $(BIN)/python tests/fuzz/fuzz.py --seconds $(or $(SECONDS),600)

fmt: setup ## Format the code
	$(BIN)/ruff format --quiet .

samples: setup ## Make samples/data again
	$(BIN)/python -m samples.generate -o samples/data

schema: setup ## Export schema.graphql
	$(BIN)/python -m api.export schema.graphql

docs: setup ## Write the command reference in docs/cli.md again
	PYTHONPATH=. $(BIN)/python docs/make_cli.py

lock: ## Make requirements.lock again, newest versions that fit
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv; }
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" \
	  --group dev --extra cluster --output-file requirements.lock pyproject.toml

clean: ## Remove what the recipes made
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
