# Every target sets up what it needs. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
# Empty: the newest suitable interpreter of this machine. Say PYTHON=... for another one.
PYTHON ?=
export PYTHON
STAMP := $(VENV)/.set-up

help: ## list the targets
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# An environment is made anew as a whole when its lock changes, after a failure, and for another PYTHON=.
stale = $(shell PYTHON="$(PYTHON)" packaging/venv.sh stale $(1))

$(STAMP): requirements/dev.txt $(call stale,$(VENV))
	@packaging/venv.sh make $(VENV) $<
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pip check --quiet --disable-pip-version-check
	@touch $@

venv: $(STAMP) ## set up the virtual environment

# What the demo and the benches run in: as it is installed, without the developers' tools. These bring packages that
# others load where they find them (structlog loads rich), which costs memory and time to start.
SANDBOX := $(VENV)-sandbox
$(SANDBOX)/.set-up: requirements/sandbox.txt $(call stale,$(SANDBOX))
	@packaging/venv.sh make $(SANDBOX) $<
	@echo "$(CURDIR)/src" >"$$($(SANDBOX)/bin/python -c 'import site; print(site.getsitepackages()[0])')/teleport-email.pth"
	@touch $@

demo: $(SANDBOX)/.set-up ## play a short story on an embedded cluster and inbox (ONCE=1: end by itself)
	@$(SANDBOX)/bin/python -m teleport_email.sandbox.demo

# Processes share the two cores of a small CI machine. In the order of the tree: xdist's own puts the files with few
# tests last, and these have the longest ones.
PYTEST = $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder
test: $(STAMP) ## run every test
	@$(PYTEST) $(ARGS)

coverage: $(STAMP) ## run every test and tell which lines none ran, which takes twice as long
	@$(PYTEST) --cov --cov-report=term:skip-covered $(ARGS)

test-systemd: ## follow the README in booted Debian roots (as root; skipped with a word where that cannot be)
	@tests/systemd/boot.sh $(ARGS)

# In a network that has nothing but lo, so that no mail can leave, and in a process namespace, so that no server stays.
test-servers: $(STAMP) ## run against Postfix, Exim and OpenSMTPD, unpacked under build/ (as root; needs apt)
	@$(BIN)/python tests/servers/roots.py
	@unshare --net --mount --pid --fork --kill-child --mount-proc \
		$(BIN)/python -m pytest tests/servers $(ARGS)

bench: $(SANDBOX)/.set-up ## measure against a floor, twenty minutes (ARGS=--quick: two minutes)
	@$(SANDBOX)/bin/python bench/run.py $(ARGS)

chaos: $(STAMP) ## break everything at random and count (SEED=1 MINUTES=1 REPLICAS=3)
	@$(BIN)/python bench/chaos.py --seed $(or $(SEED),1) --minutes $(or $(MINUTES),1) --replicas $(or $(REPLICAS),3) $(ARGS)

fuzz: $(STAMP) ## feed every parser of foreign bytes with what it does not expect (SEED=1 MINUTES=1)
	@PYTHONPATH=tests $(BIN)/python -m fuzz.targets --seed $(or $(SEED),1) --minutes $(or $(MINUTES),1)

golden: templates ## accept how the messages look now (tests/golden/)
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

templates: $(STAMP) ## compile the built-in templates into render/_compiled
	@$(BIN)/python packaging/templates.py

# The time in the archives is that of the last commit, so that the same source gives the same bytes.
BUILD_IN = trap 'rm -f src/teleport_email/_commit' EXIT; \
	git rev-parse HEAD >src/teleport_email/_commit 2>/dev/null || rm -f src/teleport_email/_commit; \
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || echo 315532800)} \
	$(BIN)/python -m build --no-isolation . >/dev/null --outdir

dist: $(STAMP) ## build wheel and sdist into dist/
	@$(BUILD_IN) dist && ls -1 dist

# For packaging/packages/build.py.
WHEELS ?= build
wheel: $(STAMP)
	@$(BUILD_IN) $(WHEELS) --wheel

packages: $(STAMP) ## build .deb and .rpm into dist/ (TARGETS="trixie-amd64 ..."; needs nfpm or Go)
	@$(BIN)/python packaging/packages/build.py $(TARGETS)

test-packages: packages ## look at the packages, install, upgrade, purge them in Debian roots (as root; needs debootstrap)
	@tests/packages/run.sh

test-container: ## build the image without a container engine and run it (as root; needs debootstrap)
	@tests/container/run.sh

release: $(STAMP) ## build all that a release has into dist/: also chart, bill of materials, notes, checksums
	@PYTHON_BIN="$(CURDIR)/$(BIN)" packaging/release/release.sh

install: ## install into PREFIX (default /usr/local): command, service, man pages, example
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" PYTHON="$(PYTHON)" packaging/install.sh install

uninstall: ## take away what install put there
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" packaging/install.sh uninstall

lock: ## renew the lock files (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml -o requirements/runtime.txt
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --extra sandbox pyproject.toml -o requirements/sandbox.txt
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --extra sandbox --group dev pyproject.toml -o requirements/dev.txt
	echo 'hatchling>=1.27' | uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 - -o requirements/build.txt

# The last is the helm that the tests of the chart built, if they were asked to.
clean: ## remove the virtual environments and what was built
	rm -rf --one-file-system .roots # a run that was killed may have left something mounted there
	rm -rf $(VENV) $(SANDBOX) build dist .coverage* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf "$${XDG_CACHE_HOME:-$$HOME/.cache}/teleport-email"

.PHONY: stale help venv demo test coverage wheel packages test-packages test-container release test-systemd test-servers chaos fuzz bench golden lint format protos templates dist install uninstall lock clean
