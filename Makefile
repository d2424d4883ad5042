# Every target sets up what it needs. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
# The newest suitable interpreter of this machine; say PYTHON=... for another one.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
STAMP := $(VENV)/.set-up

help: ## list the targets
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; say which: make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) (a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

venv: $(STAMP) ## set up the virtual environment

demo: $(STAMP) ## play a short story on an embedded cluster and inbox (ONCE=1: end by itself)
	@$(BIN)/python -m teleport_email.sandbox.demo

# Processes share the two cores of a small CI machine; the coverage of all of them is joined.
test: $(STAMP) ## run every test, with coverage
	@$(BIN)/python -m pytest -n 4 --dist loadfile --cov --cov-report=term:skip-covered $(ARGS)

# In an environment as it is installed: the developers' tools bring packages that others load where they find
# them (structlog loads rich), which costs memory and time to start.
BENCH := $(VENV)-bench
$(BENCH)/.set-up: requirements/sandbox.txt $(STAMP)
	@$(BIN)/python -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/sandbox.txt
	@touch $@

bench: $(BENCH)/.set-up ## measure against a floor, half an hour (ARGS=--quick: two minutes)
	@PYTHONPATH=src $(BENCH)/bin/python bench/run.py $(ARGS)

chaos: $(STAMP) ## break everything at random and count (SEED=1 MINUTES=1 REPLICAS=3)
	@$(BIN)/python bench/chaos.py --seed $(or $(SEED),1) --minutes $(or $(MINUTES),1) --replicas $(or $(REPLICAS),3) $(ARGS)

golden: $(STAMP) ## accept how the messages look now (tests/golden/)
	@ACCEPT_GOLDEN=1 $(BIN)/python -m pytest -q tests/render/test_render.py -k "looks_as_accepted or left_over"

lint: $(STAMP) ## formatting, lint, types, import rules, generated code
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --config .importlinter --no-cache

format: $(STAMP) ## put the code into its standard form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

protos: $(STAMP) ## generate teleport/_proto from proto/
	@$(BIN)/python proto/generate.py

# The time in the archives is that of the last commit, so that the same source gives the same bytes.
dist: $(STAMP) ## build wheel and sdist into dist/
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 315532800) \
		$(BIN)/python -m build --no-isolation --outdir dist . >/dev/null && ls -1 dist

install: ## install into PREFIX (default /usr/local): command, service, man pages, example
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" PYTHON="$(PYTHON)" packaging/install.sh install

uninstall: ## take away what install put there
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" packaging/install.sh uninstall

lock: ## renew the lock files (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml -o requirements/runtime.txt
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --extra sandbox pyproject.toml -o requirements/sandbox.txt
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --extra sandbox --group dev pyproject.toml -o requirements/dev.txt
	echo 'hatchling>=1.27' | uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 - -o requirements/build.txt

clean: ## remove the virtual environment and what was built
	rm -rf $(VENV) build dist .coverage* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: help venv demo test chaos bench golden lint format protos dist install uninstall lock clean
