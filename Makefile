# Two commands: `make report` shows what this project does, `make test` shows that it is right.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)

.PHONY: report open test docs lint types install clean
.DEFAULT_GOAL := report

report: $(VENV)/.installed ## run the mini-suite and render its page: output/report/index.html
	$(PY) run_all.py main --jobs $(JOBS)

open: ## show the page that `make report` made in the browser
	$(PY) -m webbrowser -t "file://$(CURDIR)/output/report/index.html"

test: $(VENV)/.installed-test lint types ## lint, types, tests; SLOW=1 adds whole runs at full size
	OMP_NUM_THREADS=1 $(PY) -m pytest -rs -n $(JOBS) --dist worksteal $(if $(SLOW),,-m "not slow")

docs: $(VENV)/.installed-docs ## the documentation's site: output/site/index.html
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo "$(CURDIR)/output/site/index.html"

lint: $(VENV)/.installed-test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(VENV)/.installed-test
	$(PY) -m tools.link_packages
	$(PY) -m mypy

install: $(VENV)/.installed

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv is missing; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

clean: ## remove everything that was made
	rm -rf $(VENV) output build *.egg-info .mypy_cache .ruff_cache .pytest_cache
