PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: install
install: .venv/installed

.venv/installed: deploy/requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --require-hashes -r deploy/requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
