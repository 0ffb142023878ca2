# Every command explains itself: `make help`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
ARGS   ?=
# Each of them has servers of its own; every second test waits for something, so one more than a machine of two cores has pays.
TESTERS ?= 3
# Packages are installed uncompiled, a third faster; what is used is compiled and kept at its first use. So that must be allowed.

.DEFAULT_GOAL := help
.PHONY: help setup run test check lint types layers check-feeds check-matrix check-real check-compiler schema lock web clean

help: ## Show what every target does
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tidings needs Python 3.11 or newer (set PYTHON=…)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

setup: $(STAMP) ## Make .venv from requirements.lock, when missing or stale

run: $(STAMP) ## Start the whole system on this machine: `make run ARGS="--port 9000"`
	@exec env -u PYTHONDONTWRITEBYTECODE $(BIN)/tidings dev $(ARGS)

test: $(STAMP) ## Run the whole test suite against real servers, three tests at a time: `make test ARGS="-n 0 -k feed"`
	@exec env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest --numprocesses $(TESTERS) --dist worksteal $(ARGS)

check: lint types layers ## Lint, types and layers

lint: $(STAMP) ## ruff: style, imports, common mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## mypy --strict
	$(BIN)/mypy

layers: $(STAMP) ## import-linter: who may import whom
	$(BIN)/lint-imports

check-feeds: $(STAMP) ## Random walks against the SQL truth, thousands: `make check-feeds ARGS="--runs 500 --processes 2"`
	@exec $(BIN)/python -m tests.stories.long_run $(ARGS)

check-matrix: $(STAMP) ## Who may see what, by everybody everywhere, before and after every change: `make check-matrix ARGS="--only live"`
	@exec env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m tests.matrix --whole $(ARGS)

check-real: $(STAMP) ## The real data sets, whole: every account of congress2016 in three ways, higgs2012 at two thresholds
	@exec $(BIN)/python -m pytest -m real_data tests/real_data tests/services/importing --real=whole $(ARGS)

check-compiler: $(STAMP) ## 100,000 random operations by the compiler and by graphql-core: `make check-compiler ARGS="--runs 1000"`
	@exec $(BIN)/python -m tests.graphql_compiler.long_run --ours 2000 $(ARGS)

schema: $(STAMP) ## Print the GraphQL schema to schema/schema.graphql
	$(BIN)/tidings schema export --output schema/schema.graphql

lock: ## Renew requirements.lock (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --upgrade --quiet \
	  --output-file requirements.lock

web: ## Build the browser files under app/static (needs Node 20)
	cd web && npm ci --no-audit --no-fund && npm run build

clean: ## Remove .venv and the development servers' data
	rm -rf $(VENV) .tidings
