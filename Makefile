# Every command that a person or a machine needs. `make` alone lists them.
SHELL := /bin/bash
# Compiling every source anew would cost each process that a test starts two seconds.
unexport PYTHONDONTWRITEBYTECODE
PY ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
ADAPTERS := orders erp payments crm tickets sso erp-tryton payments-stripe orders-woocommerce tickets-zammad orders-shopify crm-hubspot tickets-roundup channel-mail
EDITABLE := -e . $(foreach name,$(ADAPTERS),-e adapters/$(name))
SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/.cache/*' 2>/dev/null)
FACTOR ?= 5
FAULTS ?= tests/faults tests/scale

.DEFAULT_GOAL := help
.PHONY: help demo lab serve test test-faults test-ui check fix load chaos chaos-actions chaos-faults shots lock docker-check clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.ready ## five business systems, an identity provider, a shop, the hub
	@$(BIN)/deskhub demo $(ARGS)

lab: $(VENV)/.ready ## real systems from registry packages, on loopback
	@$(BIN)/deskhub lab $(ARGS)

serve: $(VENV)/.ready ## the hub with the hub.toml of this folder
	@$(BIN)/deskhub serve

# Tests of processes share the machine with each other: what failed is run once more by itself,
# and is red if it fails again.
AGAIN = $(BIN)/pytest --last-failed --last-failed-no-failures none

test: $(VENV)/.dev ## every part by itself and with its neighbours
	@$(BIN)/python -m tests.tools.needs
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder --ignore tests/faults --ignore tests/scale $(ARGS) || $(AGAIN) --ignore tests/faults --ignore tests/scale
	@$(BIN)/python tests/tools/node.py test

test-faults: $(VENV)/.dev ## kills, cut links, full disks, stopped servers: the short forms
	@$(BIN)/pytest -n 2 --dist loadfile $(FAULTS) $(ARGS) || $(AGAIN) $(FAULTS)

# What users were promised is counted in a browser; these two parts of it need none.
PROMISES := tests/cli/test_catalogue.py tests/docs/test_first_adapter.py

test-ui: $(VENV)/.dev ## the product in a browser, with its scorecard
	@export DESKHUB_SCORECARD=$$(mktemp); trap 'rm -f "$$DESKHUB_SCORECARD"' EXIT; \
	$(BIN)/pytest $(PROMISES) || $(AGAIN) $(PROMISES); others=$$?; \
	{ $(BIN)/pytest tests/e2e $(ARGS) || $(AGAIN) tests/e2e; } && exit $$others

check: $(VENV)/.dev ## format, lint, types, import contracts, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/architecture
	$(BIN)/python tests/tools/node.py check

fix: $(VENV)/.dev ## let the tools mend what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

load: $(VENV)/.dev ## durable messages per second beside a raw echo
	@$(BIN)/python -m tests.load

chaos: KILLS ?= 100
chaos: $(VENV)/.dev ## kill the server KILLS times under load
	@$(BIN)/python -m tests.faults.chaos --kills $(KILLS)

chaos-actions: KILLS ?= 200
chaos-actions: DATABASE ?= both
chaos-actions: $(VENV)/.dev ## freeze and KILL two servers during returns, on each database
	@$(BIN)/python -m tests.faults.frozen_actions --database $(DATABASE)
	@$(BIN)/python -m tests.faults.chaos_actions --kills $(KILLS) --database $(DATABASE)

chaos-faults: $(VENV)/.dev ## network, disk, clock, power and process broken, FACTOR times as long
	@DESKHUB_CHAOS=$(FACTOR) $(BIN)/pytest tests/faults -s $(ARGS)

chaos-adapters: $(VENV)/.dev ## let adapters fail in every way beside a busy chat
	@$(BIN)/python -m tests.faults.chaos_adapters $(ARGS)

shots: $(VENV)/.dev ## pictures of every screen, for README and docs
	@$(BIN)/python -m tests.e2e.shots

docker-check: $(VENV)/.dev ## lint the Dockerfile and run its steps without an engine
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/python -m tests.tools.dockerfile_steps

lock: $(VENV)/.uv ## pin every dependency anew, with hashes and without hosts
	@$(BIN)/python tests/tools/lock.py

clean: ## remove what the commands made
	rm -rf $(VENV) web/node_modules core/deskhub/edge/static data .pytest_cache .mypy_cache .ruff_cache

$(VENV)/.uv: requirements/uv.txt
	@$(PY) -m venv $(VENV) || { echo "python3 has no venv here. Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.ready: $(VENV)/.uv requirements/run.txt pyproject.toml plugins/pyproject.toml $(wildcard adapters/*/pyproject.toml) $(SOURCES)
	@$(UV) pip install --quiet --require-hashes -r requirements/run.txt
	@$(BIN)/python tests/tools/node.py has || $(UV) pip install --quiet --require-hashes -r requirements/node.txt
	@# First the contract: its build hook writes the adapters' manifests.
	@$(UV) pip install --quiet --no-build-isolation --no-deps -e plugins
	@$(UV) pip install --quiet --no-build-isolation --no-deps $(EDITABLE)
	@touch $@

$(VENV)/.dev: $(VENV)/.ready requirements/dev.txt
	@$(UV) pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@
