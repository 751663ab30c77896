# The newest Python from 3.11 to 3.13 that runs here; PYTHON=python3.12 chooses another.
PYTHON ?= $(shell scripts/find_python.sh)
BIN := .venv/bin
# A stamp is written last, so that a .venv that was not finished is made again.
COMMAND := .venv/command-installed
TOOLS := .venv/tools-installed
LOCKS := deploy/requirements

.DEFAULT_GOAL := help
.PHONY: help install demo serve unit test check lint fixlint coverage fuzz fuzz-cuts fuzz-mp4 fuzz-api kills soak \
  load test-browser pictures test-ceph bench event invoke local-aws build package deploy sbox stag prod lock doctoc release clean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z].*:.*## / {split($$1, names, ":"); printf "  %-18s %s\n", names[1], $$2}' $(MAKEFILE_LIST)

install: $(TOOLS)  ## make .venv from the locked requirements; does nothing the second time

$(COMMAND): $(LOCKS)/local.txt
	@test -n "$(PYTHON)"
	@echo "Installing camclip into .venv with $(PYTHON) ..."
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCKS)/local.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(TOOLS): $(COMMAND) $(LOCKS)/dev.txt
	@echo "Installing the tests' and checks' tools, and fetching what is packaged ..."
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCKS)/dev.txt
	$(BIN)/python -m deploy.package --fetch  # for the tests, which then need no network
	@touch $@

demo: $(COMMAND)  ## cut a clip of a sample camera and write demo/report.html
	$(BIN)/camclip demo --root demo

serve: $(COMMAND)  ## serve an HTTP API on recordings (ROOT=/media/frigate/recordings [OUT=clips])
	@test -n "$(ROOT)" || { echo "Name the folder of the recordings: make serve ROOT=/media/frigate/recordings"; exit 2; }
	$(BIN)/camclip serve $(if $(wildcard $(ROOT)/recordings),--root,--recordings) "$(ROOT)" $(if $(OUT),--out "$(OUT)") $(OPTIONS)

unit: $(TOOLS)  ## the unit tests, in seconds
	$(BIN)/pytest -n auto tests/unit

test: $(TOOLS)  ## all tests, in parallel, without any network beyond this machine
	$(BIN)/pytest -n auto --dist worksteal

check: $(TOOLS)  ## lint, format, types, layers and prose
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m devtools.prose

lint: check  ## the same as check

fixlint: $(TOOLS)  ## fix what ruff can fix, and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

coverage: $(TOOLS)  ## branch coverage of domain and application, which must be 100 %
	$(BIN)/coverage run -m pytest tests/unit/domain tests/unit/application
	$(BIN)/coverage report

fuzz: $(TOOLS)  ## thousands of random examples of every property
	$(BIN)/pytest -n auto --hypothesis-profile fuzz tests/unit

fuzz-cuts: $(TOOLS)  ## random cuts, each verified whole: ten minutes (CUTS=2000 SEED=0)
	$(BIN)/python -m tests.campaigns.fuzz_cuts --cuts $(or $(CUTS),2000) --seed $(or $(SEED),0)

fuzz-mp4: $(TOOLS)  ## mutated recordings, cut or rejected clearly: five minutes (FILES=100000 SEED=0)
	$(BIN)/python -m tests.campaigns.fuzz_mp4 --files $(or $(FILES),100000) --seed $(or $(SEED),0)

fuzz-api: $(TOOLS)  ## requests of every form to the server: five minutes (SECONDS=300 SEED=0)
	$(BIN)/python -m tests.campaigns.fuzz_api --seconds $(or $(SECONDS),300) --seed $(or $(SEED),0)

kills: $(TOOLS)  ## kill the function at named and random points: two to four minutes
	$(BIN)/python -m tests.campaigns.kills

soak: $(TOOLS)  ## requests and faults for ten minutes: nothing lost, nothing grows (MINUTES=10)
	$(BIN)/python -m tests.campaigns.soak --minutes $(or $(MINUTES),10) --seed 0

load: $(TOOLS)  ## sixty thousand files, ten viewers and fifty: none is refused: half a minute
	$(BIN)/python -m tests.campaigns.load

PAGES := tests/campaigns/browser/pages

test-browser: $(TOOLS)  ## Chromium plays clips and uses the pages (needs Debian's chromium)
	$(BIN)/python -m tests.campaigns.browser
	$(BIN)/pytest -n 0 $(PAGES)

pictures: $(TOOLS)  ## the same of the pages, with the README's screenshots: docs/page-*.jpg
	$(BIN)/pytest -n 0 $(PAGES) --pictures docs

test-ceph: $(TOOLS)  ## the service on a real Ceph gateway (needs Debian's Ceph; not in .ci/run)
	$(BIN)/python -m tests.campaigns.ceph

bench: $(TOOLS)  ## measure a clip's cost and the 2018 pipeline's: benchmarks/.cache/report.md
	$(BIN)/python -m benchmarks

event: $(COMMAND)  ## write event.json, a sample SQS event
	$(BIN)/python scripts/create_test_event.py

invoke: $(COMMAND)  ## run the Lambda handler on event.json, with the settings of .env
	@$(BIN)/python -m entrypoints.invoke event.json

local-aws: $(TOOLS)  ## run Lambda, SQS, SNS and S3 on this machine for one request
	$(BIN)/camclip local-aws --once

build: $(COMMAND)  ## package the function and its ffmpeg layer in dist/ (COMPILER=python3.13)
	$(BIN)/python -m deploy.package $(if $(COMPILER),--compiler $(COMPILER))

package: build  ## the same as build

deploy: $(COMMAND)  ## package and deploy (ENV=sandbox, staging or production)
	@$(BIN)/python -m deploy.deploy --check "$(ENV)"
	$(BIN)/python -m deploy.package --arch "$$($(BIN)/python -m deploy.deploy --arch "$(ENV)")" $(if $(COMPILER),--compiler $(COMPILER))
	$(BIN)/python -m deploy.deploy "$(ENV)"

sbox: environment := sandbox
stag: environment := staging
prod: environment := prod
sbox stag prod:  ## copy an environment's sample settings to .env
	@test ! -e .env || { echo ".env exists: move it away first."; exit 1; }
	cp .env.sample_$(environment) .env

lock: $(TOOLS)  ## compile the requirement files to their newest versions
	$(BIN)/uv pip compile $(LOCKS)/runtime.in $(LOCK_OPTIONS) -o $(LOCKS)/runtime.txt
	$(BIN)/uv pip compile pyproject.toml -c $(LOCKS)/runtime.txt $(LOCK_OPTIONS) -o $(LOCKS)/local.txt
	$(BIN)/uv pip compile pyproject.toml --extra dev -c $(LOCKS)/local.txt $(LOCK_OPTIONS) -o $(LOCKS)/dev.txt

LOCK_OPTIONS := --universal --python-version 3.11 --generate-hashes --upgrade --no-header --no-annotate --quiet

doctoc: $(COMMAND)  ## update the README's table of contents
	$(BIN)/python scripts/toc.py README.md

release: $(TOOLS)  ## tag a version and package it with checksums (VERSION=0.1.0 [DRY_RUN=1])
	@$(BIN)/python scripts/release.py "$(VERSION)" $(if $(DRY_RUN),--dry-run)

clean:  ## remove what make wrote, except .venv and dist/
	rm -rf demo event.json build/lib .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
