# The first command installs everything into .venv; nothing here needs root.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= auto
KILLS ?= 25
READERS ?= 100000
PYTEST := $(BIN)/python -m pytest -n $(JOBS)
# Hundreds of processes are started, and each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-fast check format bench kill-test kill-test-cluster clean
help:
	@echo "make demo       send a small newsletter to 200 invented readers, through a server of its own"
	@echo "make test       every test, on SQLite and on PostgreSQL"
	@echo "make test-fast  the tests that take less than a minute"
	@echo "make check      lint, format, types, and which room may import which"
	@echo "make bench      how fast it is, side by side with others"
	@echo "make kill-test  KILLS=500: kill a send at random moments and account for every reader"
	@echo "make kill-test-cluster  KILLS=200: the same with three machines, one PostgreSQL and one relay"

$(VENV)/installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "mailer needs Python 3.11 or newer; name one with make PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: $(VENV)/installed
	@$(BIN)/python examples/demo.py demo

test: $(VENV)/installed
	$(PYTEST)

test-fast: $(VENV)/installed
	MAILER_TEST_FAST=1 $(PYTEST) -m "not slow and not chromium and not postfix and not dovecot"

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed
	@$(BIN)/python -m benchmarks $(BENCH)

kill-test: $(VENV)/installed
	$(BIN)/python -m tests.killtest --kills $(KILLS)

kill-test-cluster: $(VENV)/installed
	$(BIN)/python -m tests.killtest.cluster --kills $(KILLS) --readers $(READERS)

clean:
	rm -rf demo dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
