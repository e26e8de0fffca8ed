# `make demo` and `make test` are all that a newcomer needs; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# pip obeys the configuration of this machine: no index is named here.
PIP := PIP_ROOT_USER_ACTION=ignore $(RUN) -m pip -qq --disable-pip-version-check --no-input
LOCK := requirements/lock.txt

.PHONY: help demo test check prove bench screenshots example accuracy docs locale data lock clean

help: ## this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/runtime ## a simulated hospital, scanned: Windows XP counted per ward
	@$(VENV)/bin/vetuste demo

test: $(VENV)/dev ## every test; installs the system packages that they need where it may
	@tests/system-packages
	@export PATH="$$PATH:/usr/sbin:/sbin"; \
	if [ "$$(id -u)" = 0 ]; then tests/side-by-side $(RUN); \
	elif sudo -n true 2>/dev/null; then \
	  $(RUN) -m pytest -m 'not namespaces'; \
	  sudo -n env PATH="$$PATH" CI="$${CI:-}" PYTHONDONTWRITEBYTECODE=1 \
	    $(RUN) -m pytest -p no:cacheprovider -m namespaces; \
	else $(RUN) -m pytest; fi

check: $(VENV)/dev ## format, lint, types, import contracts, data, catalogues, documents
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@$(VENV)/bin/lint-imports
	@$(MAKE) --no-print-directory data
	@$(RUN) -m tests.cli.catalogue --check
	@$(RUN) -m tests.cli.reference --check
	@$(RUN) -m tests.safety --check
	@$(RUN) -m pytest -q tests/test_documents.py
	@if [ -d ../shared/corpus ]; then $(RUN) -m tests.accuracy --check; fi

prove: $(VENV)/dev ## the long proofs: mutation by the million, 200 kills, 100 rounds of a fleet, every property 20 times as often; three hours
	@$(RUN) -m pytest tests/prove/mutation.py tests/prove/parsers.py tests/prove/imports.py tests/prove/listening.py tests/prove/rough.py tests/prove/kills.py tests/prove/year.py tests/prove/fleet.py
	@VETUSTE_EXAMPLES=$${VETUSTE_EXAMPLES:-2000} $(RUN) -m pytest tests/probes tests/capture tests/scan tests/transport tests/inventory tests/exports tests/test_*.py

bench: $(VENV)/dev ## speed and memory beside nmap, masscan and a bare loop, in one run
	@tests/system-packages
	@PATH="$$PATH:/usr/sbin:/sbin" $(RUN) -m tests.bench.speed
	@PATH="$$PATH:/usr/sbin:/sbin" $(RUN) -m tests.bench.plan
	@PATH="$$PATH:/usr/sbin:/sbin" $(RUN) -m tests.bench.listening
	@PATH="$$PATH:/usr/sbin:/sbin" $(RUN) -m tests.bench.listening_live
	@$(RUN) -m tests.bench.listening_memory
	@PATH="$$PATH:/usr/sbin:/sbin" $(RUN) -m tests.bench.fleet_scene

screenshots: $(VENV)/dev ## every page of the dashboard in both languages and themes: build/screenshots
	@tests/system-packages
	@$(RUN) -m tests.browser.screenshots build/screenshots

example: $(VENV)/dev ## build inventory.db.example again
	@$(RUN) -m tests.example inventory.db.example

accuracy: $(VENV)/dev ## right, undecided and wrong over real answers: docs/accuracy.md
	@$(RUN) -m tests.accuracy

docs: $(VENV)/dev ## docs/cli.md and half of docs/safety.md from the code
	@$(RUN) -m tests.cli.reference
	@$(RUN) -m tests.safety

locale: $(VENV)/dev ## gather the messages and compile the catalogues
	@$(RUN) -m tests.cli.catalogue

data: $(VENV)/dev ## every rule about fingerprints and dates; lists what nobody checked for a year
	@$(RUN) -m pytest -q tests/test_data.py tests/test_fingerprints.py tests/test_lifecycle.py tests/lifecycle
	@$(RUN) cli.py data check

lock: ## resolve the dependencies again and pin them
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	$(PYTHON) -m venv "$$scratch"; \
	PIP_ROOT_USER_ACTION=ignore "$$scratch/bin/python" -m pip -qq --disable-pip-version-check --no-input \
	  install '.[dev]'; \
	{ echo '# What the tests ran with. Written by `make lock`.'; \
	  "$$scratch/bin/python" -m pip --disable-pip-version-check freeze --exclude vetuste; } > $(LOCK)

clean: ## remove what the other targets made
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@rm -f inventory.db inventory.db-wal inventory.db-shm remediation.csv
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'vetuste needs Python 3.11 or newer: make PYTHON=python3.11 …' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo 'vetuste needs the module venv: sudo apt install python3-venv' >&2; exit 1; }
	@echo 'making the environment in $(VENV) …' >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/runtime: pyproject.toml $(LOCK) | $(VENV)/made
	@$(PIP) install --constraint $(LOCK) --editable .
	@touch $@

$(VENV)/dev: pyproject.toml $(LOCK) | $(VENV)/made
	@$(PIP) install --constraint $(LOCK) --editable '.[dev]'
	@touch $@ $(VENV)/runtime
