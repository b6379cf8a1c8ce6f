# `make` without a target prints the list of targets.
.DEFAULT_GOAL := help

VENV := .venv
PY := $(VENV)/bin/python
# RUN: the packages that run Butler. DEV: the same packages and those for tests and checks.
RUN := $(VENV)/.built-run
DEV := $(VENV)/.built-dev
# Runs a command with its own services, in a temporary folder.
ALONE := $(PY) -m deploy.local with-services --temporary --
# For commands that only read the settings. They need no services.
READING := BUTLER_CHECK=1
COMPILE = uv pip compile --python-version 3.12 --generate-hashes --no-annotate --no-header \
    --no-emit-index-url --no-emit-find-links --quiet
QUICK ?=
export QUICK

.PHONY: help run story test test-long bench plans chaos check fix docs screenshots doctor lock sbom clean .venv

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

$(RUN): requirements-run.txt
	@python=$$(deploy/local/find-python) && "$$python" deploy/local/environment.py $(VENV) run

$(DEV): requirements-dev.txt
	@python=$$(deploy/local/find-python) && "$$python" deploy/local/environment.py $(VENV) dev

.venv: $(DEV) ## Build the virtual environment for development from the pinned requirements

run: $(RUN) ## Start Butler with the theme park example (PORT, LIVE_PORT, BUTLER_HOME)
	@exec $(PY) -m deploy.local run

story: $(RUN) ## Play the theme-park story against the running system
	@exec $(PY) -m examples.themepark.story $(ARGS)

test: $(DEV) ## Run all tests with their own services (ARGS="-k name -x")
	@exec $(ALONE) $(PY) -m pytest -n auto --dist worksteal --durations 20 $(ARGS)

test-long: $(DEV) ## Run the long property and concurrency tests (up to 45 minutes)
	@exec env BUTLER_LONG_TESTS=1 $(ALONE) $(PY) -m pytest -n auto -m long --durations 20 $(ARGS)

bench: $(DEV) ## Run the benchmarks; print figures, limits and baselines (QUICK=1: about 5 minutes)
	@exec $(ALONE) $(PY) -m bench $(ARGS)

plans: $(DEV) ## Compare the rows of all statements under all plans, at 1 M customers (ARGS=--help)
	@exec $(ALONE) $(PY) -m bench.plans $(ARGS)

chaos: $(DEV) ## Kill processes and services under load; count acknowledged events and sent messages
	@exec $(PY) -m bench.chaos $(ARGS)
	@exec $(ALONE) $(PY) -m bench.chaos.withdrawal_race

check: $(DEV) ## Check style, types, imports, templates, migrations and docs (without make test)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(READING) $(PY) -c 'from importlinter.cli import lint_imports_command as run; run()' --no-logo
	$(READING) $(PY) -m mypy
	$(PY) -m djlint --quiet --lint .
	$(ALONE) $(PY) -m pytest -q -p no:randomly tests/architecture
	$(READING) $(PY) -m sphinx -q -W --keep-going -b html docs docs/_build/html

fix: $(DEV) ## Fix lint errors and format the code
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

docs: $(DEV) ## Build the documentation; a warning is an error
	$(READING) $(PY) -m sphinx -W --keep-going -b html docs docs/_build/html

screenshots: $(DEV) ## Take screenshots of all pages (screenshots/) and update those of the docs
	@exec $(PY) -m tests.screenshots

doctor: $(RUN) ## Find problems on this machine and print how to fix them
	@exec $(PY) -m deploy.local doctor

lock: ## Pin the newest versions in the three requirements files (needs uv)
	$(COMPILE) requirements-dev.in --output-file requirements-dev.txt --upgrade
	sed -n 's/ \\$$//; /==/p' requirements-dev.txt > .pins
	$(COMPILE) requirements.in --output-file requirements.txt --upgrade --constraints .pins
	$(COMPILE) requirements-run.in --output-file requirements-run.txt --upgrade --constraints .pins
	rm .pins

sbom: $(DEV) ## Write the packages of Butler and their licences as CycloneDX (sbom.json)
	@$(PY) deploy/local/environment.py .venv-sbom run
	@$(VENV)/bin/cyclonedx-py environment .venv-sbom --output-reproducible --output-file sbom.json
	@rm -rf .venv-sbom

clean: ## Remove all built files; the data in BUTLER_HOME stays
	rm -rf $(VENV) docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
