# Everything a newcomer needs; it does its own set-up with python3 (3.11 or later), venv and make.

# Without compiled files, each start of a test process compiles all tests again: 6 of 11 seconds.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
WORKERS ?= auto
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install -qq

.DEFAULT_GOAL := help
.PHONY: help setup demo check test lint format bench screenshots lock clean

help: ## What can be made here
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## Create .venv from requirements.txt (PYTHON=python3.12 for another Python)

demo: setup ## The whole job on sample lists, on this machine only (ONCE=1 ends after printing)
	@$(BIN)/agreement-monitor demo $(if $(ONCE),--once)

# Tests write thousands of small databases, and wait for a disk.
IN_MEMORY := $(if $(wildcard /dev/shm/.),TMPDIR=/dev/shm)
# The marks are explained in pyproject.toml.
SLOW := browser or crash or publish or replay or service or slow or wheel
check: lint ## Check style and types, and run the fast tests: in under a minute, before each commit
	@$(IN_MEMORY) $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not ($(SLOW))" $(ARGS)

test: setup ## Run all the tests (ARGS="-k name", WORKERS=0 for one process)
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

lint: setup ## Check style, types and who imports whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/mypy

format: setup ## Put imports and layout right
	@$(BIN)/ruff check --select I --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.benches ## Measure, and print the figures beside those of the alternatives (ARGS="check scale")
	@$(BIN)/python -m bench $(ARGS)

screenshots: setup ## Pictures of the main pages into docs/screenshots (ARGS="--db state.db --now 2025-12-29T22:00Z")
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

# A throw-away uv; its answer keeps the pins that are there unless told otherwise, and names no registry.
EXTRAS := demo test lint build
COMPILE = "$$tools/bin/uv" pip compile pyproject.toml --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-header --quiet
lock: ## Write both requirements files anew from pyproject.toml (ARGS=--upgrade moves the pins)
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && \
	$(PYTHON) -m venv "$$tools" && \
	"$$tools/bin/python" -m pip --disable-pip-version-check install -qq uv && \
	$(COMPILE) $(EXTRAS:%=--extra %) -o requirements.txt $(ARGS) && \
	$(COMPILE) --extra bench --constraints requirements.txt -o requirements-bench.txt $(ARGS)

clean: ## Remove .venv, caches and built files (never state.db)
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp is the last thing written: after an interruption the step runs again, from an empty .venv.
$(VENV)/.pinned: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; name one with make PYTHON=…")'
	@echo "Setting up $(VENV) with $$($(PYTHON) --version); the first time takes a minute."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) --require-hashes -r requirements.txt
	@touch $@

# Pins of requirements.txt are the same here.
$(VENV)/.benches: requirements-bench.txt $(VENV)/.installed
	@$(PIP) --require-hashes -r requirements-bench.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.pinned pyproject.toml
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@
