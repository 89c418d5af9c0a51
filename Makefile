# One command for each job; each sets up what it needs. `make help` lists them.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup setup-gpu lab demo test proof bench lint thresholds lock clean

help:  ## list the jobs
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "make %-11s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Expected $(PYTHON) with venv: on Debian, apt-get install python3.11-venv; or name another, make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(READY): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(READY)  ## install everything into .venv

setup-gpu: $(READY)  ## the same with TensorFlow's CUDA libraries
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-gpu.lock

lab: setup  ## open JupyterLab on a working copy of the labs
	$(BIN)/labbook lab

demo: setup  ## build, run lab 01, grade a simulated class, report
	$(BIN)/labbook demo

test: setup lint  ## everything that CI runs
	$(BIN)/python -m pytest -m "not proof"

proof: setup lint  ## the tests, and those that are too long for every run
	LABBOOK_PROOF=1 $(BIN)/python -m pytest
	@if [ "$$(id -u)" = 0 ]; then \
	  echo "Once more as an ordinary user:"; \
	  LABBOOK_PROOF=1 $(BIN)/python tests/as_user.py $(CURDIR)/$(BIN)/python -m pytest -p no:cacheprovider \
	    tests/test_walls.py tests/test_attacks.py tests/test_rooms.py tests/test_forkserver.py tests/test_trust.py; \
	else echo "Not root: what was tested, was tested as an ordinary user."; fi

bench: setup  ## how fast grading is, beside stock nbgrader and beside the work itself (half an hour)
	$(BIN)/python benchmarks/grading.py

lint: setup  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

thresholds: setup  ## measure the seed spread of LAB again: make thresholds LAB=01_lenet5
	$(BIN)/python -m autograder.thresholds $(LAB)

lock: setup  ## pin the dependencies again
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra dev pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra dev --extra gpu pyproject.toml -o requirements-gpu.lock
	$(BIN)/python -m autograder.environment

clean:  ## remove what can be made again; course/ and work/ stay
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
