# `make run` and `make test` work from a fresh clone: what they need, they install first, into .venv and .cache
# (and, for tests, with apt-get where the machine has none of it).

PYTHON ?= python3
BIN := .venv/bin
OPTIONS ?=
SLOW := $(wildcard tests/journeys tests/faults tests/benchmarks)
# These mostly wait, or are not watched by the clock; the journeys that are left have the machine to themselves.
PATIENT := $(wildcard tests/faults tests/benchmarks tests/journeys/test_jobs.py tests/journeys/test_frameworks.py \
  tests/journeys/test_start.py tests/journeys/test_exact_totals.py tests/journeys/test_every_page.py)
UNIT = $(BIN)/pytest -q -n 2 $(SLOW:%=--ignore=%) $(OPTIONS)

VNU_VERSION := 26.9.27
VNU := .cache/vnu-$(VNU_VERSION).jar

.DEFAULT_GOAL := help
.PHONY: help run demo parts screenshots load check test bench lint format wheel clean
.DELETE_ON_ERROR:

help: ## Show these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/runtime ## Start the service on port 8000, or PORT, with WEB_CONCURRENCY workers (2)
	@exec $(BIN)/gunicorn wsgi:app --bind=127.0.0.1:$${PORT:-8000} $(OPTIONS)

demo: .venv/runtime ## A service with a year of made-up history and live traffic, in instance-demo/
	@exec $(BIN)/python -m tests.demo

parts: .venv/development ## Every part of the pages in every state, on port 8001, or PORT
	@exec $(BIN)/python -m tests.parts

screenshots: .venv/development .cache/chromium ## Pictures of every page in screenshots/; OPTIONS=--docs for the README's
	@exec $(BIN)/python -m tests.screenshots $(OPTIONS)

load: .venv/runtime ## Call the tools of a running service, and say how many answers came back
	@$(BIN)/python -m tests.journeys.load $(if $(KEY),--key=$(KEY)) $(OPTIONS)

check: .venv/development ## Lint, types and fast tests, in less than a minute
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(UNIT) -m 'not slow'

test: .venv/development .cache/chromium .cache/bench-peers .cache/wrk .cache/faketime ## All tests, with real servers and a real browser
	$(UNIT)
	$(BIN)/pytest -q -n 2 --dist loadgroup $(PATIENT) $(OPTIONS)
	$(BIN)/pytest -q $(filter-out $(PATIENT),$(SLOW)) $(PATIENT:%=--ignore=%) $(OPTIONS)

bench: .cache/chromium .cache/bench-peers .cache/wrk ## What Laptime costs, beside others; PARTS="cost throughput memory reading rolling history pages"
	@$(BIN)/python -m tests.benchmarks $(OPTIONS) $(PARTS)

lint: .venv/development $(VNU) ## Ruff, mypy, and the Nu HTML checker on every page
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m tests.html_check $(VNU)

format: .venv/development ## Put imports and layout in order
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

wheel: .venv/development ## Build the wheel `laptime` in dist/
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## Remove what these commands made; the state in instance/ stays
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache build dist *.egg-info

# The stamps are younger than what they were made from, so a second run installs nothing.

.venv/runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Laptime needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	    "Name another one: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) can't make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
	  exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing requirements.txt into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/development: .venv/runtime requirements-dev.txt
	@echo "Installing requirements-dev.txt into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.cache/chromium: .venv/development .ci/chromium
	@mkdir -p .cache
	@.ci/chromium $(BIN)/playwright
	@touch $@

# Peers are compared with, never needed: they live in an environment of their own.
.cache/bench-peers: tests/benchmarks/requirements.txt
	@mkdir -p .cache
	@test -x .cache/bench-venv/bin/python || $(PYTHON) -m venv .cache/bench-venv
	@echo "Installing tests/benchmarks/requirements.txt into .cache/bench-venv"
	@.cache/bench-venv/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.cache/wrk: .ci/apt
	@mkdir -p .cache
	@command -v wrk >/dev/null || .ci/apt wrk || echo "Without wrk no throughput is measured"
	@touch $@

.cache/faketime: .ci/apt
	@mkdir -p .cache
	@ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || .ci/apt faketime
	@touch $@

$(VNU): .ci/vnu
	@mkdir -p .cache
	@.ci/vnu $(VNU_VERSION) $@
