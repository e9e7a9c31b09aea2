# Each target sets up what it needs first: a fresh machine with python3 and make is enough.
#   make run ARGS="--tcp-port 4001"      make test ARGS="-k rooms"      make setup PYTHON=python3.13
PYTHON ?= python3
ARGS ?=
export PYTHON

# On continuous integration a test that cannot run is a failure, not a skip.
ifeq ($(CI),true)
export PARLOUR_REQUIRE_ALL ?= 1
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup run test check lint types attack bench lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

run: ## start the server; its messages are kept in var/
	@sh scripts/setup run
	@mkdir -p var
	@PARLOUR_DATA="$${PARLOUR_DATA:-var/parlour.db}" exec .venv/bin/parlour serve $(ARGS)

setup: ## prepare .venv for working on Parlour
	@sh scripts/setup dev

# Three at once, also on two cores: much of the time goes by in waiting for deadlines.
test: setup ## run all tests, with real clients and a real browser
	@sh scripts/setup tools
	@.venv/bin/pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder $(ARGS)

check: lint types test ## everything a change must pass: lint, types, test

lint: setup ## ruff: rules and format
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check

types: setup ## mypy --strict
	@.venv/bin/mypy

attack: setup ## attack a running server for two minutes; the results go to docs/attacks.md
	@.venv/bin/python -m attack $(ARGS)

bench: setup ## measure what Parlour costs in five minutes; tables and plots go to docs/
	@.venv/bin/python -m bench $(ARGS)

lock: ## take the newest releases into the lock files
	@sh scripts/lock

clean: ## remove what the other targets made, but not the messages in var/
	rm -rf .venv .venv-lock build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
