# `make` lists what there is. Every target installs first what is missing; with nothing missing that takes no time.
SHELL := /bin/bash
PYTHON := .venv/bin/python
EMBEDDED := $(PYTHON) -m wise_marketing.embedded
TEMPORARY := $(EMBEDDED) run --temp --
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help setup installed demo test test-long test-faults lint format translations test-native bench shell vendor screenshots resetdb lock

help:  ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[36mmake %-13s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## Install what is missing: .venv, system packages, translations, a browser for the tests
	@scripts/setup.sh browser

installed:
	@scripts/setup.sh

demo: installed  ## Tell the story with a demo library, then serve it (EXIT=1 stops after it, KEEP=1 keeps the data, CUSTOMERS=200000, PORT=8080)
	@$(PYTHON) -m demo $(if $(CUSTOMERS),--customers $(CUSTOMERS)) $(if $(PORT),--port $(PORT)) $(if $(filter-out 0,$(EXIT)),--exit)

# Compiled Python is kept, whatever the environment says: the tests start it a hundred times. Databases on a
# server that is thrown away need not be dropped. The order is shuffled, the same way each time: what is green here is
# green elsewhere. ORDER=7 is another order, `make test-long` takes a new one each time.
test: setup  ## Run the tests on throw-away servers (T=tests/customers or T="tests/x.py -k name" for some)
	@PYTHONDONTWRITEBYTECODE= $(TEMPORARY) $(PYTHON) -m pytest $(if $(DATABASE_URL)$(DATABASE_URL_FILE),,--reuse-db) \
	    $(if $(T),-p no:randomly $(T),-q -n 2 --dist worksteal --randomly-seed=$(or $(ORDER),1) --durations=20)

test-long: setup  ## Try properties ten times as often as `make test` does, thousands of random rules among them (TREES=2000)
	@TREES=$(or $(TREES),2000) $(TEMPORARY) $(PYTHON) -m pytest -q -n 2 $$(grep -rl 'tests.tries' tests --include='*.py')

test-faults: setup  ## Kill workers, servers and lines for minutes while mail is sent (KILLS=200, SEED=7 has the same order again)
	@KILLS=$(or $(KILLS),200) $(TEMPORARY) $(PYTHON) -m pytest -p no:randomly -v -rA -s tests/faults tests/mailings/test_proofs_clocks.py tests/mailings/test_proofs_races.py

lint: installed  ## Check style, types, floors, templates, migrations, translations and security
	@scripts/lint.sh

format: installed  ## Put Python in the house style
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format --quiet .

translations: installed  ## Collect texts into locale/nl and list what has no Dutch yet (needs gettext)
	@$(PYTHON) scripts/translations.py collect

test-native: installed  ## Run tests and Procfile on the system's own PostgreSQL and Redis (installs them on Debian)
	@scripts/native.sh
	@WISE_SYSTEM_SERVERS=1 $(MAKE) test

bench: installed  ## Run a benchmark: B=name N=size; ends with one JSON line
	@$(if $(B),,echo "usage: make bench B=name [N=size]; there are: $$(ls benchmarks | sed -n 's/^\([a-z].*\)\.py$$/\1/p' | tr '\n' ' ')" >&2; exit 2;) \
	$(if $(filter mailings,$(B)),WISE_DURABLE=1 )$(TEMPORARY) $(PYTHON) manage.py bench $(B) $(if $(N),--n $(N))

shell: installed  ## Open a Python shell on the demo's data
	@$(EMBEDDED) run -- $(PYTHON) manage.py shell

vendor: installed  ## Fetch the front end's files again into static/vendor (needs Node)
	@scripts/vendor.sh

screenshots: setup  ## Photograph every page at 1440 and 390 pixels into screenshots/ (CUSTOMERS=1000; README=1 renews those of the README)
	@$(TEMPORARY) $(PYTHON) scripts/screenshots.py $(if $(README),readme)

resetdb: installed  ## Throw the demo's data away
	@env -u DATABASE_URL -u REDIS_URL $(EMBEDDED) run -- sh -c '$(PYTHON) manage.py shell --no-imports --command \
	    "from django.db import connection; connection.cursor().execute(\"DROP SCHEMA public CASCADE; CREATE SCHEMA public\")" \
	    && $(PYTHON) manage.py migrate --verbosity 0'

lock: installed  ## Resolve requirements.in and requirements-dev.in again (UPGRADE=1 takes newer versions)
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 $(if $(UPGRADE),--upgrade) requirements.in -o requirements.txt
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 $(if $(UPGRADE),--upgrade) requirements.in requirements-dev.in -o requirements-dev.txt
