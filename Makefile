.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
# One worker a core, each with a PostgreSQL of its own; what is next goes to whoever is free.
PYTEST := $(PY) -m pytest -n logical --dist worksteal
# The interpreter to build the environment with: 3.11 or newer.
PYTHON ?= python3

.PHONY: help run test laws check lint types contracts unit format lock clean

help: ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: .venv/.installed ## start everything on this machine: database, model, API, worker, sample company
	@$(PY) -m app.cli run

test: .venv/.dev .venv/.idp .venv/.s3 check ## everything that must hold: lint, types, import contracts, all tests
	$(PYTEST) tests -m "not quick and not alone" --durations=20
	$(PY) -m pytest tests -m alone --durations=20

laws: .venv/.dev ## races, and two worlds 100,000 times, 1,000 over HTTP; takes hours, and goes on where it was stopped
	CLEARANCE_LAW_FACTOR=8 $(PY) -m pytest tests/laws --timeout=3600
	$(PY) -m tests.laws.run --worlds 100000 --http 1000 --state .clearance/laws.json

check: .venv/.dev lint types contracts unit ## what must hold before a commit, in a minute

lint: .venv/.dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: .venv/.dev
	$(PY) -m mypy

contracts: .venv/.dev
	.venv/bin/lint-imports

unit: .venv/.dev
	$(PYTEST) tests/unit -m quick

format: .venv/.dev ## format the code
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

lock: ## resolve the dependencies anew and pin them with hashes
	.venv/bin/uv pip compile pyproject.toml $(LOCK_OPTIONS) -o requirements.lock
	.venv/bin/uv pip compile pyproject.toml --group dev -c requirements.lock $(LOCK_OPTIONS) -o requirements-dev.lock
	.venv/bin/uv pip compile tests/support/identity_provider.in $(LOCK_OPTIONS) -o requirements-idp.lock
	.venv/bin/uv pip compile tests/support/s3_server.in $(LOCK_OPTIONS) -o requirements-s3.lock

LOCK_OPTIONS := --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 --quiet

# A real identity provider for the tests, apart: it needs other versions of what we need too.
.venv/.idp: .venv/.dev requirements-idp.lock
	@$(PY) deploy/install.py idp
	@touch $@

# A real server that speaks S3 for the tests, apart for the same reason.
.venv/.s3: .venv/.dev requirements-s3.lock
	@$(PY) deploy/install.py s3
	@touch $@

clean: ## remove the environment and the local data (the sample company too)
	rm -rf .venv .clearance

# deploy/install.py takes index, proxy and certificates from the usual variables, and says what to do where it fails.
.venv/.uv: requirements-boot.lock
	@$(PYTHON) deploy/install.py uv
	@touch $@

.venv/.installed: .venv/.uv requirements.lock
	@$(PY) deploy/install.py run
	@touch $@

.venv/.dev: .venv/.installed requirements-dev.lock
	@$(PY) deploy/install.py dev
	@touch $@
