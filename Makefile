# Each target does its own set-up; a fresh machine needs only make and Python >= 3.11.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ML100K := $(VENV)/.ml-100k
PEERS := $(VENV)-peers

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help venv demo demo-full test test-long kills faults fuzz serve-demo serve-test lint types docs lock bench quality-peers growth clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(INSTALLED) ## install solidrec and its tools, at the versions of constraints.txt, into VENV (.venv)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	@touch $@

# recbole's wheel carries ml-100k. It is read as data and never imported, so its dependencies stay out.
$(ML100K): $(INSTALLED) constraints.txt
	$(BIN)/python -m pip install --quiet --no-deps -c constraints.txt recbole
	@touch $@

# One thread unless you say otherwise: a step is too small for two (docs/performance.md), and the same number gives the same bytes
# on one machine. Threads that wait are to sleep, not to spin: beside another busy process spinning makes them many times slower.
export OMP_WAIT_POLICY ?= PASSIVE
THREADS ?= 1

demo: $(ML100K) ## ml-100k from file to table, report and recommendations in some minutes (folder demo/)
	$(BIN)/solidrec demo --threads $(THREADS) --out demo

demo-full: $(ML100K) ## the same trained to convergence, for the figures that the README quotes (folder demo-full/)
	$(BIN)/solidrec demo --full --threads $(THREADS) --out demo-full

WORKERS ?= 2

test: $(ML100K) ## the tests, by WORKERS processes (2)
	$(BIN)/python -m pytest -n $(WORKERS)

test-long: $(ML100K) ## the tests that take minutes each
	$(BIN)/python -m pytest -m long

kills: $(INSTALLED) ## kill each command at every change that it makes on disk, and call it again (an hour)
	$(BIN)/python -m pytest -m kills

faults: $(ML100K) ## inject every fault of the catalogue (docs/reliability.md) and print what happened
	$(BIN)/python tests/faults/run_faults.py

PORT ?= 8000

# The run folder of a row of the demo, whose name is a hash.
RUN_OF := $(BIN)/python -c "import sys; from pathlib import Path; from solidrec.experiments.plan import Plan; \
  print(next(f'demo/quick/runs/{one.key}' for one in Plan.load(Path('demo/quick')).places if one.row == sys.argv[1]))"

serve-demo: $(ML100K) ## the demo's models behind a page in your browser, on PORT (8000)
	test -f demo/quick/experiment.json || $(MAKE) demo
	$(BIN)/solidrec serve "$$($(RUN_OF) mixture)" --beside "$$($(RUN_OF) static)" --port $(PORT)

$(VENV)/.serving: $(INSTALLED) constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev,serving]"
	@touch $@

# Debian: apt-get install chromium nginx redis-server curl
serve-test: $(VENV)/.serving $(ML100K) ## the service in a browser, behind nginx, under load, and its table of numbers
	$(BIN)/python -m pytest -m serving tests/serve
	$(BIN)/python benchmarks/serving.py

FUZZ_SECONDS ?= 3600

fuzz: $(INSTALLED) ## an hour of atheris on the loaders (folder fuzz/)
	$(BIN)/python tests/fuzz/fuzz_loaders.py fuzz -max_total_time=$(FUZZ_SECONDS)

lint: $(INSTALLED) ## style: ruff check and ruff format --check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED) ## types: mypy --strict src
	$(BIN)/mypy --strict src

docs: $(INSTALLED) ## write the pages that are generated: the command line, settings, results, errors
	$(BIN)/typer solidrec.cli utils docs --name solidrec --output docs/cli.md
	$(BIN)/python docs/make_settings.py docs/settings.md
	$(BIN)/python docs/make_results.py docs/results.md
	$(BIN)/python docs/make_errors.py docs/errors.md
	$(BIN)/python docs/make_licences.py docs/licences.md

lock: ## write requirements.lock with hashes, at the versions of constraints.txt (needs uv)
	sed 's/;.*//' constraints.txt > $(VENV)/constraints-plain.txt
	uv pip compile pyproject.toml --generate-hashes --universal --python-version 3.11 \
	  -c $(VENV)/constraints-plain.txt --no-header --no-annotate -o requirements.lock

# The peers' pins and ours exclude each other, so they live apart; one that cannot be installed is named by the bench and left out.
$(PEERS)/.tried: benchmarks/peers-requirements.txt
	$(PYTHON) -m venv $(PEERS)
	-$(PEERS)/bin/python -m pip install --quiet -r benchmarks/peers-requirements.txt
	@touch $@

bench: $(ML100K) $(PEERS)/.tried ## speed and memory beside peers and a naive form, 1 and 2 threads (benchmarks/results/)
	$(BIN)/python benchmarks/bench.py --peers $(PEERS)/bin/python
	$(BIN)/python benchmarks/page.py

DATA ?= beauty scientific

quality-peers: $(INSTALLED) $(PEERS)/.tried ## the first ten places beside rectools' SASRec and eSASRec on prepared folders DATA (beauty scientific)
	$(BIN)/python benchmarks/quality_peers.py $(DATA) --peers $(PEERS)/bin/python

growth: $(INSTALLED) ## cost against the number of items, codes and users and the length of histories (benchmarks/results/)
	$(BIN)/python benchmarks/growth.py

clean: ## remove the environment, caches and what the demo wrote
	rm -rf $(VENV) $(PEERS) demo demo-full build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
