# Two commands do everything: `make run` and `make test`. `make help` lists the rest.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV ?= .venv
PYTHON ?=
PIP ?=
HOST ?= 127.0.0.1
PORT ?=
ARGS ?=
JOBS ?= 2

PY := $(VENV)/bin/python
SCRIPTS := $(wildcard explorer/ui/graph_view/js/*.js)
export VENV PYTHON PIP

.PHONY: help venv venv-dev browser run test test-all lint format bench messages doctor clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1|/p' $(firstword $(MAKEFILE_LIST)) \
	| awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'
	@echo
	@echo "  PORT=8502 and HOST=0.0.0.0 go with run, ARGS='-k graph' with test and test-all,"
	@echo "  JOBS=1 runs them one after another (two at once otherwise),"
	@echo "  PYTHON=/path/to/python3, PIP='uv pip' and VENV=folder with all; LOCK= installs the newest"
	@echo "  versions that the requirements admit, in place of those of requirements.lock."

venv:
	@tools/venv.sh run

venv-dev:
	@tools/venv.sh dev

# Without a browser the tests still run: those that need one fail with the same sentence.
browser: venv-dev
	@$(PY) -m tests.tools.find_browser --install >/dev/null || true

run: venv ## install what the app needs, start it, print the address
	@$(PY) -m streamlit run app.py --server.address $(HOST) $(if $(PORT),--server.port $(PORT))

# Two at once, a file's tests in one process, which share what they set up; and then, alone, those
# that watch a browser. A part of them may be empty (5). The tests start some 300 processes, which
# would each compile the code anew where PYTHONDONTWRITEBYTECODE is set.
test: venv-dev browser ## install what the tests need, run the tests
	@PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not slow and not browser" $(ARGS) || [ $$? -eq 5 ]
	@PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -m "browser and not slow" $(ARGS) || [ $$? -eq 5 ]

test-all: venv-dev browser ## the tests, and the slow ones that walk the whole catalog
	@PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not browser" $(ARGS) || [ $$? -eq 5 ]
	@PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -m "browser" $(ARGS) || [ $$? -eq 5 ]

lint: venv-dev ## ruff, mypy --strict, freshness of messages and lock, syntax of the scripts
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m tools.messages --check
	@$(PY) -m tools.audit
	@if command -v node >/dev/null 2>&1; then \
	  for script in $(SCRIPTS); do node --input-type=module --check <"$$script" || exit 1; done; \
	else echo "node is not installed: the syntax of the scripts was not checked"; fi

format: venv-dev ## let ruff format and fix what it can
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

bench: venv-dev ## time what has to be fast; not part of the tests
	@$(PY) -m pytest tests/benchmarks --override-ini 'python_files=bench_*.py' -s $(ARGS)

messages: venv-dev ## collect the strings to translate into assets/locale
	@$(PY) -m tools.messages

doctor: venv ## say what is installed, which device, which settings
	@$(PY) -m explorer doctor

clean: ## remove the environment and the tools' caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
