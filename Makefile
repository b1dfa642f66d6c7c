# make run   set up everything and run the main job: kit run sentiment, then the site
# make test  the same set-up, then every check and test
# make test-faults   every request of a publication by every fault there is
PYTHON ?= python3
BIN := .venv/bin
# pip has no lock of its own; constraints.txt holds every version that was tested.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test test-faults check site clean

run: .venv/ready
	$(BIN)/kit run sentiment
	$(BIN)/kit site build

test: check
	$(BIN)/python -m pytest

test-faults: .venv/ready
	KIT_FAULTS=all $(BIN)/python -m pytest tests/publishing/test_publishing_faults.py

check: .venv/ready build/runtime.ready build/axe.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/kit site build
	sh tests/links.sh

site: .venv/ready
	$(BIN)/kit site build

# torch goes first: a later package asking for "torch" would otherwise choose a build of its own.
.venv/ready: pyproject.toml constraints.txt mirror.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) torch
	$(PIP) --editable ".[dev]"
	$(BIN)/python -m pip install --quiet --no-deps --requirement mirror.txt
	touch $@

build/runtime.ready: .venv/ready
	$(BIN)/python -m kit.browser.runtime build/runtime
	touch $@

build/axe.ready: .venv/ready
	$(BIN)/python -m tests.browser.axe build/axe
	touch $@

# What a publication did stays: without its journal nothing can be taken back.
clean:
	rm -rf build .venv
	test ! -d runs || find runs -mindepth 2 -maxdepth 2 ! -name publication -exec rm -rf {} +
