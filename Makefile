# `make` alone explains itself.
.DEFAULT_GOAL := help

VENV := .venv
PY := $(VENV)/bin/python
# What runs Butler, and what tests and checks it; the second holds the first.
RUN := $(VENV)/.built-run
DEV := $(VENV)/.built-dev
# Services of their own, in a folder that is gone afterwards.
ALONE := $(PY) -m deploy.local with-services --temporary --
# For what only reads the settings: no service is looked for.
READING := BUTLER_CHECK=1
COMPILE = uv pip compile --python-version 3.12 --generate-hashes --no-annotate --no-header \
    --no-emit-index-url --no-emit-find-links --quiet
QUICK ?=
export QUICK

.PHONY: help run story test test-long bench plans chaos check fix docs screenshots doctor lock sbom clean .venv

help: ## This list
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

$(RUN): requirements-run.txt
	@python=$$(deploy/local/find-python) && "$$python" deploy/local/environment.py $(VENV) run

$(DEV): requirements-dev.txt
	@python=$$(deploy/local/find-python) && "$$python" deploy/local/environment.py $(VENV) dev

.venv: $(DEV) ## Build the virtual environment for development from the pinned requirements

run: $(RUN) ## Start everything with the theme park in it (PORT, LIVE_PORT, BUTLER_HOME)
	@exec $(PY) -m deploy.local run

story: $(RUN) ## Play the theme-park story against the running system
	@exec $(PY) -m examples.themepark.story $(ARGS)

test: $(DEV) ## Run all tests with their own services (ARGS="-k name -x")
	@exec $(ALONE) $(PY) -m pytest -n auto --dist worksteal --durations 20 $(ARGS)

test-long: $(DEV) ## Try much more of what can be generated, cut and run at once (up to 45 minutes)
	@exec env BUTLER_LONG_TESTS=1 $(ALONE) $(PY) -m pytest -n auto -m long --durations 20 $(ARGS)

bench: $(DEV) ## Measure, each figure beside its limit and its baseline (QUICK=1: about 5 minutes)
	@exec $(ALONE) $(PY) -m bench $(ARGS)

plans: $(DEV) ## Compare the rows of every statement under every plan, at 1 M customers (ARGS=--help)
	@exec $(ALONE) $(PY) -m bench.plans $(ARGS)

chaos: $(DEV) ## Kill what can be killed under load, count what was acknowledged and what was sent
	@exec $(PY) -m bench.chaos $(ARGS)
	@exec $(ALONE) $(PY) -m bench.chaos.withdrawal_race

check: $(DEV) ## Lint, types, import contracts, templates, migrations, alarms, docs (not the suite)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(READING) $(PY) -c 'from importlinter.cli import lint_imports_command as run; run()' --no-logo
	$(READING) $(PY) -m mypy
	$(PY) -m djlint --quiet --lint .
	$(ALONE) $(PY) -m pytest -q -p no:randomly tests/architecture
	$(READING) $(PY) -m sphinx -q -W --keep-going -b html docs docs/_build/html

fix: $(DEV) ## Let the tools mend what they can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

docs: $(DEV) ## Build the documentation, warnings are errors
	$(READING) $(PY) -m sphinx -W --keep-going -b html docs docs/_build/html

screenshots: $(DEV) ## Take a picture of every page (screenshots/), those of the docs anew
	@exec $(PY) -m tests.screenshots

doctor: $(RUN) ## Say what is wrong on this machine and how to mend it
	@exec $(PY) -m deploy.local doctor

lock: ## Pin the three requirements files anew, the largest first (needs uv)
	$(COMPILE) requirements-dev.in --output-file requirements-dev.txt --upgrade
	sed -n 's/ \\$$//; /==/p' requirements-dev.txt > .pins
	$(COMPILE) requirements.in --output-file requirements.txt --upgrade --constraints .pins
	$(COMPILE) requirements-run.in --output-file requirements-run.txt --upgrade --constraints .pins
	rm .pins

sbom: $(DEV) ## Write the packages that Butler runs on, with their licences, as CycloneDX (sbom.json)
	@$(PY) deploy/local/environment.py .venv-sbom run
	@$(VENV)/bin/cyclonedx-py environment .venv-sbom --output-reproducible --output-file sbom.json
	@rm -rf .venv-sbom

clean: ## Remove what was built; the data in BUTLER_HOME stays
	rm -rf $(VENV) docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
