# `make` alone explains itself.
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z.]+:.*## / { printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.built-from: requirements.txt
	@python=$$(deploy/local/find-python) && "$$python" deploy/local/environment.py $(VENV)

.PHONY: .venv
.venv: $(VENV)/.built-from ## Build the virtual environment from the pinned requirements
