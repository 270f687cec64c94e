# The verbs are the same for people and for CI. Each sets up .venv by itself, from python3 (3.11 or newer) alone.

PYTHON ?= python3
PY := .venv/bin/python
READY := .venv/.ready
PYTEST := $(PY) -m pytest
# One more than there are processors: a third of the time the tests wait for programs to start and clocks to pass.
BESIDE := --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --dist loadfile

.DEFAULT_GOAL := help
.PHONY: demo test check laws bench bench-agentdojo bench-nodes bench-pgbench peers slow format pins clean help

demo: $(READY) ## watch agents leave their remit: refused, recorded, ended, proved
	@.venv/bin/remit demo

test: $(READY) ## all tests but peers and slow
	@$(PYTEST) $(BESIDE) tests --ignore=tests/peers --ignore=tests/slow

check: $(READY) ## format, lint, types, import contracts, house rules
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PYTEST) tests/house

laws: $(READY) ## the named laws, each with the planted faults that it must catch
	@$(PYTEST) tests/laws

bench: $(READY) ## measure, and print one JSON document
	@$(PY) -m bench

bench-agentdojo: $(READY) ## replay AgentDojo's recorded calls and attacks through the gate, and print one JSON document
	@$(PY) -m bench.agentdojo

bench-pgbench: $(READY) ## measure pgbench straight at a database and through the gate (Debian's pgbench)
	@$(PY) -m bench.pgbench

bench-nodes: $(READY) ## measure several nodes on one PostgreSQL database
	@$(PY) -m bench.nodes

peers: $(READY) ## the tests against other people's programs; a peer that is missing is a failure
	@$(PYTEST) tests/peers

slow: $(READY) ## the long suites: kills, power loss, soak
	@$(PYTEST) tests/slow

format: $(READY) ## let ruff format the tree
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

pins: $(READY) ## resolve constraints.txt anew from pyproject.toml
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@$(PY) -m uv pip compile pyproject.toml --extra test --extra dev --universal --python-version 3.11 --generate-hashes \
		--upgrade --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file constraints.txt
	@sed -i '1i # What the tests run on, with hashes. Written by: make pins' constraints.txt

clean: ## remove what the other verbs made
	@rm -rf .venv .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Remit needs Python 3.11 or newer, and '$(PYTHON)' is not. Install one, or name it: make PYTHON=python3.12" >&2; \
		exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv .venv || { \
		echo "'$(PYTHON)' cannot make a virtual environment. On Debian: install python3-venv, then try again." >&2; \
		rm -rf .venv; exit 1; }
	@echo "Setting up .venv; this is done once." >&2
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement constraints.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
