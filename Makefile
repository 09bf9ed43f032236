# Two commands do everything on a fresh Debian or Ubuntu machine:
#   make demo   sets up and renders a sample bench
#   make test   installs what the tests need, and runs them all

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := fixtures/frappe-16/frappe-bench

.PHONY: systemd-versions demo test setup lint types packages stacks golden fuzz clean

demo: $(VENV)/installed
	$(BIN)/prodgen render --target supervisor --bench $(SAMPLE)
	$(BIN)/prodgen render -t supervisor -t systemd -t nginx --bench $(SAMPLE) --output build/demo

test: packages $(VENV)/tested stacks lint types
	$(BIN)/python -m pytest

setup: $(VENV)/tested

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/tested: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group test --group lint
	touch $@

# The servers that the live tests start; needs root, else it says what is missing.
packages:
	tests/install-packages

# What the stand-in benches run: Gunicorn, RQ and Redis clients as Frappe pins them.
stacks: $(VENV)/tested
	$(BIN)/python -m tests.rig.stacks

lint: $(VENV)/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/tested
	$(BIN)/mypy

# Renders the expected files of the fixtures anew; read the difference before you commit it.
golden: $(VENV)/tested
	$(BIN)/python -m pytest tests/test_golden.py --update-golden

# The units on the systemd of every Debian release; needs root and debootstrap, takes 15 minutes.
systemd-versions: $(VENV)/tested stacks
	$(BIN)/python -m tests.rig.systemd_versions

# A million random and mutated inputs: none may surprise prodgen.
fuzz: $(VENV)/tested
	$(BIN)/python -m tests.inputs.fuzz --count 1000000

clean:
	rm -rf $(VENV) build dist .rig .mypy_cache .pytest_cache .ruff_cache .hypothesis
