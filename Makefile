# Two commands on a fresh machine with Python ≥ 3.11: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help demo test test-cluster test-slow screenshots lint lock clean

help:
	@echo "make demo       environment, demo CRM, training, a published ranking in demo/"
	@echo "make test       lint, types, import rules and tests (a quarter of an hour on two cores)"
	@echo "make test-cluster  slow tests on Spark: a cluster, Spark Connect, whole nights"
	@echo "make test-slow  also what is marked slow"
	@echo "make screenshots  docs/screens of the page, from the demo in demo/, with Chromium"
	@echo "make lock       resolve the lock files again"

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "leadrank needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv .venv

# uv unpacks on all cores and compiles bytecode, with which imports are three times as fast. Behind a mirror,
# set UV_DEFAULT_INDEX as well as pip's own setting.
INSTALL = UV_COMPILE_BYTECODE=1 $(BIN)/uv pip install --quiet --python $(BIN)/python

.venv/.uv: requirements-uv.lock | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $@

.venv/.runtime: requirements.lock pyproject.toml .venv/.uv
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q features models serve pipelines
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

# A file's tests stay in one process: they share what they have trained.
SIDE_BY_SIDE = --numprocesses auto --dist loadfile --durations 15 --durations-min 5

demo: .venv/.runtime
	$(BIN)/leadrank demo demo

test: .venv/.dev lint
	$(BIN)/python -m pytest -m "not slow" $(SIDE_BY_SIDE)

test-cluster: .venv/.dev
	$(BIN)/python -m pytest -m "slow and spark" $(SIDE_BY_SIDE)

test-slow: .venv/.dev
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

screenshots: .venv/.dev
	$(BIN)/python docs/make_screens.py demo

lint: .venv/.dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# Versions and hashes, no index addresses; hatchling and editables build the editable install offline.
lock: .venv/.dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml requirements-build.in -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev -c requirements.lock pyproject.toml requirements-build.in -o requirements-dev.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache demo
