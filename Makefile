PYTHON ?= python3.11
BIN := .venv/bin
# Half-finished .venv folders never count: the stamp is written last.
STAMP := .venv/installed

.PHONY: install demo test fuzz fuzz-cuts fuzz-mp4 soak test-browser kills bench check lint fixlint lock event invoke build package deploy sbox stag prod clean

install: $(STAMP)  ## make .venv from the locked requirements; does nothing the second time

$(STAMP): deploy/requirements/dev.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --require-hashes -r deploy/requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m deploy.package --fetch  # for the tests, which then need no network
	touch $@

demo: $(STAMP)  ## a sample camera, a clip of it, and a page about both: demo/report.html
	$(BIN)/camclip demo --root demo

test: $(STAMP)  ## everything, in parallel, without any network beyond this machine
	$(BIN)/pytest -n auto --dist worksteal

fuzz: $(STAMP)  ## look for new counterexamples: thousands of random examples of every property
	$(BIN)/pytest -n auto --hypothesis-profile fuzz tests/unit/domain tests/infrastructure

fuzz-cuts: $(STAMP)  ## 2,000 random cuts, each judged whole: about ten minutes
	$(BIN)/python -m tests.campaigns.fuzz_cuts --cuts 2000 --seed 0

fuzz-mp4: $(STAMP)  ## 100,000 mutated recordings are cut or refused clearly: about five minutes
	$(BIN)/python -m tests.campaigns.fuzz_mp4 --files 100000 --seed 0

soak: $(STAMP)  ## ten minutes of requests and faults: nothing lost, nothing grows (MINUTES=1.5)
	$(BIN)/python -m tests.campaigns.soak --minutes $(or $(MINUTES),10) --seed 0

test-browser: $(STAMP)  ## Chromium plays and steps through clips (needs Debian's chromium)
	$(BIN)/python -m tests.campaigns.browser

kills: $(STAMP)  ## kill the function at 5 named and 20 random points: one to three minutes
	$(BIN)/python -m tests.campaigns.kills

bench: $(STAMP)  ## what a clip costs, beside the 2018 pipeline: benchmarks/.cache/report.md
	$(BIN)/python -m benchmarks

check: $(STAMP)  ## lint, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

lint: check

fixlint: $(STAMP)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

event: $(STAMP)  ## event.json, as the queue would send it, for the demo's camera
	$(BIN)/camclip event -a --camera pier --root demo > event.json

invoke: $(STAMP)  ## the Lambda handler, with the settings of .env, on event.json
	$(BIN)/python -m entrypoints.invoke event.json

lock: $(STAMP)  ## compile the requirement files anew (needs uv)
	for extras in "runtime:" "local:--extra local" "dev:--extra local --extra dev"; do \
	  uv pip compile pyproject.toml $${extras#*:} --generate-hashes --universal \
	    --python-version 3.11 --no-header --no-annotate --quiet \
	    -o deploy/requirements/$${extras%%:*}.txt || exit 1; done

build package: $(STAMP)  ## build/: the function and the layer for AWS Lambda (COMPILER=python3.13)
	$(BIN)/python -m deploy.package $(if $(COMPILER),--compiler $(COMPILER))

deploy: $(STAMP)  ## package and deploy: ENV=sandbox, staging or production
	@$(BIN)/python -m deploy.deploy --check "$(ENV)"
	$(BIN)/python -m deploy.package --arch arm64 $(if $(COMPILER),--compiler $(COMPILER))
	$(BIN)/python -m deploy.deploy "$(ENV)"

sbox: environment := sandbox
stag: environment := staging
prod: environment := prod
sbox stag prod:  ## take the sample settings of an environment as .env
	@test ! -e .env || { echo ".env exists already; move it away first."; exit 1; }
	cp .env.sample_$(environment) .env

clean:
	rm -rf demo event.json .mypy_cache .pytest_cache .ruff_cache .hypothesis
