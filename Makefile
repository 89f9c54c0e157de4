# Everything a person needs with Python >= 3.11 and make; each target prepares what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test venv lint clean lock

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## Crawl Venice 2024 against the bundled replica, offline and without keys
	@CINEGRAPH_MODE=mock $(BIN)/cinegraph crawl venice -a year=2024

test: $(VENV)/.dev ## Run the whole suite
	@# Two workers more than there are processors, at most four: much of the time a test waits for a process it started.
	@# Hundreds of processes start; each would compile all of Cinegraph anew where nobody may write the compiled modules.
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $$($(BIN)/python -c 'import os; print(min(4, (os.cpu_count() or 1) + 2))') --dist worksteal

venv: $(VENV)/.dev ## Prepare .venv with everything for development

lint: $(VENV)/.dev ## Style, types, import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

clean: ## Remove .venv, caches and the demo's database
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis cinegraph-mock.db*

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Cinegraph needs Python 3.11 or newer; this is %s.%s" % sys.version_info[:2])'
	@$(PYTHON) -m venv $(VENV)

# The development environment holds everything the demo needs, in the same versions, so that either may come first.
$(VENV)/.run: $(BIN)/python requirements/run.txt pyproject.toml
	@echo "Preparing $(VENV) (half a minute, once) …"
	@test -e $(VENV)/.dev || $(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(BIN)/python requirements/dev.txt pyproject.toml
	@echo "Preparing $(VENV) for development (a minute, once) …"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run

lock: ## Renew the pinned versions (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--group build pyproject.toml --output-file requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--all-extras --group build pyproject.toml --output-file requirements/dev.txt
