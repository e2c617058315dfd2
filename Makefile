# `make` alone explains the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help setup run test check bench bench-scale lock wheel clean

help: ## explain the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(INSTALLED) ## make .venv with the locked Python packages

$(INSTALLED): requirements.lock pyproject.toml
	@test -x $(BIN)/pip || .ci/debian-packages python
	test -x $(BIN)/pip || python3 -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## start VDX Watch: with your vdx.toml, or with the stand-in VDX where there is none
	@.ci/debian-packages run
	@$(BIN)/vdx up

test: setup ## check the code and run all tests against the real servers
	@.ci/debian-packages test
	$(MAKE) --no-print-directory check
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

check: setup ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup ## measure speed and size, as ratios in one run
	@.ci/debian-packages test
	$(BIN)/python -m benchmarks

bench-scale: setup ## prove and measure history at scale: a month with kills, ten years of calls (40 minutes, 12 GB)
	@.ci/debian-packages test
	$(BIN)/python -m benchmarks.history_month
	$(BIN)/python -m benchmarks.ten_years

lock: setup ## renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade pyproject.toml --all-extras --group dev --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --output-file requirements.lock

wheel: setup ## build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

clean: ## remove what make made
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
