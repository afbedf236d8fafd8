# Everything a contributor runs. No root, and no network once the tools are installed.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# How many tests run at a time, and more options for pytest: make test ARGS='-k channels'
JOBS   ?= 2
SECONDS ?= 900
# The size of `make drain`.
CONNECTIONS ?= 2000
HUNG    ?= 50
CLIENTS ?= 200
ARGS   ?=

# The routes that `make dev` serves. A file named on the command line is always a route, so the conversation
# tests stay out, and so does json/, which holds the same routes once more.
EXAMPLES := $(filter-out %.test.yaml,$(wildcard examples/*.yaml))

INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CODE    := compiler runtime worpen_cli tests

.DEFAULT_GOAL := help
.PHONY: help dev test check lint types layers format docs golden fuzz bench bench-board bench-unused bench-hooks \
  bench-cluster soak attacks endings cluster drain recovery autobahn build clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
	  printf '  make %-8s %s\n' "$$name" "$$text"; done

dev: $(VENV)/.run ## install worpen and serve the examples, reloading on change
	$(BIN)/worpen dev --init-sql examples/online.sql $(EXAMPLES)

test: $(VENV)/.test ## run all tests
	$(BIN)/pytest -q -n $(JOBS) $(ARGS)

check: lint types layers ## everything that must hold before a commit: lint, types, layers, tests
	@$(MAKE) --no-print-directory test

lint: $(VENV)/.dev ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet . || { echo 'run: make format' >&2; exit 1; }

types: $(VENV)/.dev ## static types
	$(BIN)/mypy

layers: $(VENV)/.dev ## which package may import which
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev ## lay the code out and mend what can be mended safely
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.run ## write the reference pages anew, from the tables of the compiler
	$(BIN)/worpen reference docs/reference

golden: $(VENV)/.test ## write the expectations of the golden files anew; read the diff before you commit
	$(BIN)/pytest -q tests/golden --update $(ARGS)

fuzz: $(VENV)/.test ## the property tests, with many more examples
	HYPOTHESIS_PROFILE=deep $(BIN)/pytest -q -n $(JOBS) --timeout 3600 tests/property $(ARGS)
	$(BIN)/python -m tests.property.engines 1000000 expressions
	$(BIN)/python -m tests.property.engines 10000 hooks
	$(BIN)/python -m tests.property.engines 100000 mutants

bench: $(VENV)/.test ## the server beside its peers; writes the figures into docs/performance.md
	$(BIN)/python -m tests.bench.wire $(ARGS)

soak: $(VENV)/.test ## 2000 clients that come, talk, attack and go, for 15 minutes; the server must not grow or miscount
	$(BIN)/python -m tests.bench.soak $(SECONDS)

attacks: $(VENV)/.test ## floods, bombs, stalled and vanished clients beside a healthy one; about 22 minutes
	$(BIN)/python -m tests.bench.attacks $(ARGS)

endings: $(VENV)/.test ## a thousand connections end in each way: on_disconnect runs once for each
	CROWD=1000 $(BIN)/pytest -v -s -p no:cacheprovider --timeout 600 tests/e2e/test_endings.py $(ARGS)

cluster: $(VENV)/.test ## three nodes on one bus: one is killed, the store hangs, restarts, is cut off
	CLUSTER_WHOLE=1 $(BIN)/pytest -q --timeout 300 tests/e2e/test_cluster.py $(ARGS)

drain: $(VENV)/.test ## SIGTERM amid 2000 connections and 50 hung hooks; workers replaced amid traffic of 200 clients
	DRAIN_CONNECTIONS=$(CONNECTIONS) DRAIN_HUNG=$(HUNG) DRAIN_SECONDS=30 ROLLING_CLIENTS=$(CLIENTS) ROLLING_ROUNDS=4 \
	  $(BIN)/pytest -q -s tests/e2e/test_drain.py tests/e2e/test_rolling_restart.py $(ARGS)

recovery: $(VENV)/.test ## 1000 cuts of clients in memory and 1000 over a bus: each message once and in order
	RECOVERY_WHOLE=1 $(BIN)/pytest -q -s --timeout 600 tests/e2e/test_cuts.py $(ARGS)

autobahn: $(VENV)/.run ## the Autobahn suite against a compiled route; writes its table into docs/conformance.md
	BIN=$(BIN) VENV=$(VENV) tests/e2e/autobahn/run.sh

bench-cluster: $(VENV)/.test ## what the bus adds: one node, one with a bus, two
	$(BIN)/python -m tests.bench.cluster $(ARGS)

bench-board: $(VENV)/.test ## what looking costs the server: the live board, the browser console
	$(BIN)/python -m tests.bench.board_cost $(ARGS)

bench-unused: $(VENV)/.test ## what routes pay for features they do not use: make bench-unused BASE=../older-checkout
	$(BIN)/python -m tests.bench.unused $(BASE) $(ARGS)

bench-hooks: $(VENV)/.test ## hooks against Python by hand and other engines, and how fast programs load
	$(BIN)/python -m tests.bench.hooks
	$(BIN)/python -m tests.bench.path
	$(BIN)/python -m tests.bench.loading
	$(BIN)/python -m tests.bench.bombs

build: $(VENV)/.test ## the wheel and the source distribution, in dist/
	$(BIN)/python -m build --no-isolation

clean: ## remove the environment and everything that can be made again
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment: one stamp for each set of packages, made anew when pyproject.toml changes

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'worpen needs Python 3.11 or later; name one: make PYTHON=/path/to/python3 ...' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The build tools come first and stay, so that later installs need no network.
$(VENV)/.tools: $(VENV)/.made
	$(INSTALL) hatchling editables
	@touch $@

$(VENV)/.run: pyproject.toml $(VENV)/.tools
	$(INSTALL) --no-build-isolation --editable '.[embedded]'
	@touch $@

$(VENV)/.test: pyproject.toml $(VENV)/.tools
	$(INSTALL) --no-build-isolation --editable '.[test]'
	@touch $(VENV)/.run $@

$(VENV)/.dev: pyproject.toml $(VENV)/.tools
	$(INSTALL) --no-build-isolation --editable '.[dev]'
	@touch $(VENV)/.run $(VENV)/.test $@
