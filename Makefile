# Daily commands: `make help`. Needs Python 3.11 or newer and make; everything else comes with `make install`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export UV_PYTHON_DOWNLOADS := never
PORT ?= 8000
JOBS ?= 3

# The first Python that is new enough, the one everything was tried on before others.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
PYTEST := $(BIN)/python -m pytest

.PHONY: help install run stop test bench drills journeys lint format messages

help: ## show this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed ## create .venv with every tool, from uv.lock (nothing to do when it has not changed)

.venv/installed: uv.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or newer with venv is needed (Debian, Ubuntu: apt-get install python3 python3-venv)." >&2; exit 1; fi
	@echo "Installing Python packages into .venv (the first time about a minute) …" >&2
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m uv --version >/dev/null 2>&1 || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(tools/locked.sh uv)"
	@$(BIN)/python -m uv sync --frozen --inexact --quiet --python $(BIN)/python
	@touch $@

run: install ## serve the demo county on http://127.0.0.1:8000 (PORT=…), until Ctrl-C or make stop
	@tools/fonts.sh &
	@exec $(MANAGE) serve --demo --port $(PORT)

stop: ## stop this checkout's server and its embedded PostgreSQL
	@[ ! -e .venv/installed ] || $(MANAGE) stop

test: install ## run every test that CI runs
	@tools/fonts.sh
	@$(PYTEST) -n $(JOBS) --dist worksteal -q $(ARGS)

bench: install ## measure; writes build/bench.json
	@mkdir -p build
	@$(BIN)/python -m tests.bench $(ARGS)

drills: install ## long crash and race drills
	@$(PYTEST) -m drill -q $(ARGS)

journeys: install ## only the walks in a browser
	@REQUIRE_JOURNEYS=1 $(PYTEST) -m journey -q $(ARGS)

lint: install ## style, types, import contracts, templates, migrations, translations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/djlint --lint --quiet project approvals notifications workflows
	@$(MANAGE) makemigrations --check --dry-run
	@$(MANAGE) messages --check

format: install ## put sources into their shape
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

messages: install ## collect texts to translate into every app's locale folder
	@$(MANAGE) messages
