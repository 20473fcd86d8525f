# Everything that is done to this project has a verb here; `make` alone lists them.
# Needs make and Python 3.11 or newer with venv; all else comes from PyPI into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header

# The checks look at the product as it is shipped, and at no database of this machine.
CHECK_ENV := DATABASE_URL=sqlite://:memory: DEBUG=False
MANAGE := $(CHECK_ENV) $(BIN)/python manage.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-dev run test test-long check lint format schema words bench lock

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.installed ## make .venv with what the product needs

setup-dev: $(VENV)/.installed-dev ## add what the tests and checks need

# A stamp is written when its installation is complete, so a broken-off one is done again.
$(VENV)/.installed: requirements.txt
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "$(PYTHON) is missing: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$$($(PYTHON) --version) is too old, Regulars needs 3.11 or newer:" \
	    "apt install python3.11 python3.11-venv, then make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment: apt install python3-venv"; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the product needs (requirements.txt, about half a minute) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@echo "Installing what the tests and checks need (requirements-dev.txt) ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

run: setup ## serve with demonstration data (PORT=8000)
	@$(BIN)/python -m config.launch

test: setup-dev ## all tests on SQLite and PostgreSQL (ARGS="-k name")
	@$(BIN)/python -m tests.run $(ARGS)

test-long: setup-dev ## the same, with the tests that take minutes
	@$(BIN)/python -m tests.run -m "" $(ARGS)

check: setup-dev ## style, settings, migrations, schema, words, architecture: in seconds
	@echo "Style ..."
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet --diff .
	@echo "Settings ..."
	@$(MANAGE) check
	@echo "Migrations ..."
	@$(MANAGE) makemigrations --check --dry-run
	@echo "Schema ..."
	@mkdir -p var
	@$(MANAGE) spectacular --validate --fail-on-warn --file var/openapi.yaml
	@diff -u docs/openapi.yaml var/openapi.yaml || { \
	  echo "docs/openapi.yaml differs from the code: run make schema and commit it"; exit 1; }
	@echo "Words ..."
	@$(BIN)/python -m config.translations --check
	@echo "Architecture ..."
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/python -m pytest -q tests/test_architecture.py

lint: setup-dev ## only the style part of check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: setup-dev ## put the style right
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

schema: setup-dev ## write docs/openapi.yaml and docs/dialects.md anew
	@mkdir -p docs
	@$(MANAGE) spectacular --validate --fail-on-warn --file docs/openapi.yaml
	@$(MANAGE) dialects --write

words: setup-dev ## collect the words of the back office for translation, compile the catalogues
	@$(BIN)/python -m config.translations

bench: setup-dev ## every benchmark, one after the other
	@for file in $(sort $(wildcard benchmarks/[a-z]*.py)); do \
	  name=$$(basename $$file .py); echo "== $$name"; \
	  $(BIN)/python -m benchmarks.$$name || exit 1; \
	done

lock: setup-dev ## pin requirements anew from pyproject.toml (ARGS="--upgrade")
	@$(LOCK) $(ARGS) pyproject.toml --output-file requirements.txt
	@$(LOCK) $(ARGS) --group pyproject.toml:dev --constraint requirements.txt \
	  --output-file requirements-dev.txt
