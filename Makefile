# On a fresh Debian or Ubuntu machine, each installs what it needs:
#   make demo       sets up and renders a sample bench
#   make check      ruff, mypy and the tests that start no program
#   make test-unit  every test that starts no server, with the coverage of the pure rooms
#   make test       all of that, and a live case for each guarantee: what CI runs
#   make test-all   every case; PART=systemd for one part (`python -m tests.parts paths systemd`)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := fixtures/frappe-16/frappe-bench

# Half of the time of a short run is pytest's reading of the tests, which it can keep.
export PYTHONDONTWRITEBYTECODE :=
PYTEST := $(BIN)/python -m pytest
UNIT := $(PYTEST) -m "not live" -n 2 --dist worksteal --cov --cov-report=term:skip-covered

.PHONY: demo check test-unit test test-all setup lint types fast packages stacks golden docs docs-links \
	systemd-versions sudo-versions nginx-versions version-matrix bench release lowest fuzz clean

demo: $(VENV)/installed
	$(BIN)/prodgen render --target supervisor --bench $(SAMPLE)
	$(BIN)/prodgen render -t supervisor -t systemd -t nginx --bench $(SAMPLE) --output build/demo

check: $(VENV)/tested
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint types fast

fast: $(VENV)/tested
	$(PYTEST) -q -m "not live and not process and not slow" -n 2 --dist worksteal --hypothesis-profile=quick

test-unit: $(VENV)/tested
	$(UNIT)

test: packages $(VENV)/tested stacks lint types
	code=0; $(UNIT) || code=1; $(PYTEST) -m "live and not matrix" || code=1; exit $$code

# Without PART: whatever starts no server, and then all parts.
test-all: packages $(VENV)/tested stacks
	[ -n "$(PART)" ] || $(UNIT)
	files=$$([ -z "$(PART)" ] || $(BIN)/python -m tests.parts paths $(PART)) && $(PYTEST) -m live $$files

setup: $(VENV)/tested

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/tested: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group test --group lint --group docs
	touch $@

# The servers that the live tests start; needs root, else it says what is missing.
packages:
	tests/install-packages

# What the stand-in benches run: Gunicorn, RQ and Redis clients as Frappe pins them.
stacks: $(VENV)/tested
	$(BIN)/python -m tests.support.rig.stacks

lint: $(VENV)/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/tested
	$(BIN)/mypy

# Renders the expected files of the fixtures anew; read the difference before you commit it.
golden: $(VENV)/tested
	$(BIN)/python -m pytest tests/test_golden.py tests/messages tests/test_template_docs.py \
		tests/cli/test_share.py tests/plan/views/test_diagram.py tests/review \
		tests/docs/test_reference.py tests/docs/test_site.py --update-golden

# The pages of docs/ as a site, in build/docs/; a warning is an error.
docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/python -m sphinx -b html -n -W --keep-going -q docs build/docs

# Whether the links that lead elsewhere lead somewhere; needs the network.
docs-links: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/python -m sphinx -b linkcheck -q docs build/docs-links

# The units on the systemd of every Debian release; needs root and debootstrap, takes 15 minutes.
systemd-versions: $(VENV)/tested stacks
	$(BIN)/python -m tests.support.versions.systemd_versions

# doctor's lines for sudo, read by this host's sudo and by Debian 13's sudo and sudo-rs; as above.
sudo-versions: $(VENV)/tested
	$(BIN)/python -m tests.support.rig.sudo_roots
	$(BIN)/python -m pytest tests/live/privilege/test_sudo_lines.py

# The requests of the live tests to the nginx of every Debian release, HTTP/3 too; root as above.
nginx-versions: $(VENV)/tested stacks
	$(BIN)/python -m pip install --quiet --group versions
	$(BIN)/python -m tests.support.versions.nginx_versions

# A bench under each Supervisor and each Gunicorn of PyPI, the fixtures in each Debian's nginx; as
# above, 12 minutes. Supervisor before 4.1 needs a Python up to 3.7 on PATH or of pyenv.
version-matrix: $(VENV)/tested stacks
	$(BIN)/python -m tests.support.versions.version_matrix

# How fast and how large it is beside Honcho and bench (docs/benchmarks.md); as root, needs wrk.
bench: $(VENV)/tested
	$(PYTHON) -m venv .rig/frappe-bench
	.rig/frappe-bench/bin/python -m pip install --quiet "pip>=25.1"
	.rig/frappe-bench/bin/python -m pip install --quiet --group bench
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.nginx_scale
	$(BIN)/python -m benchmarks.nginx_speed
	$(BIN)/python -m benchmarks.memory

# Wheel and sdist in dist/, the same bytes each time, and what they depend on in build/ (CycloneDX).
release: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
release: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group release
	rm -rf dist
	$(BIN)/python -m build
	$(PYTHON) -m venv --clear --without-pip build/release
	$(BIN)/python -m pip --python build/release/bin/python install --quiet dist/*.whl
	version=$$(build/release/bin/python -Ic 'import prodgen; print(prodgen.__version__)') && \
		sed "s/^dynamic = .*/version = \"$$version\"/" pyproject.toml >build/pyproject.toml
	$(BIN)/cyclonedx-py environment --output-reproducible --pyproject build/pyproject.toml \
		--output-file build/sbom.cdx.json build/release/bin/python

# The tests that start no server, with the oldest releases that pyproject.toml allows.
lowest:
	$(PYTHON) -m venv --clear .rig/lowest
	.rig/lowest/bin/python -m pip install --quiet "uv>=0.8"
	.rig/lowest/bin/uv pip compile --quiet --python .rig/lowest/bin/python --extra restart \
		--resolution lowest-direct pyproject.toml --output-file .rig/lowest.txt
	.rig/lowest/bin/uv pip install --quiet --python .rig/lowest/bin/python --group test \
		--constraints .rig/lowest.txt --editable '.[restart]'
	.rig/lowest/bin/python -m pytest -m "not live" --ignore tests/live --ignore tests/test_packaging.py \
		--ignore tests/ci/test_lint.py --ignore tests/docs/test_site.py

# A million random and mutated inputs: none may surprise prodgen.
fuzz: $(VENV)/tested
	$(BIN)/python -m tests.inputs.fuzz --count 1000000

clean:
	rm -rf $(VENV) build dist .rig .mypy_cache .pytest_cache .ruff_cache .hypothesis
