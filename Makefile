# Everything a developer runs. Each target sets up what it needs and is quick the second time.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long test-mirror test-packaging test-database test-redis test-pgbouncer test-curl test-clients test-root test-ops e2e check format schema docs bench bench-limits bench-live bench-observing bench-write bench-facts bench-mirror bench-clients bench-dashboard bench-scale lock clean

BIN := .venv/bin
PYTHON ?= python3
VENV := .venv/.installed
PAGE := server/graphiql/index.html
PAGE_SOURCES := schema.graphql examples/live_frontend/resuming.mjs \
	$(shell find frontend/src -type f -not -path '*/generated/*') $(wildcard frontend/*.json frontend/*.ts \
	frontend/*.html frontend/.npmrc frontend/build.sh frontend/node.sh)
PYTEST := $(BIN)/python -m pytest -q
# Several modules at once, on one database cluster.
AT_ONCE := -n 4 --dist loadfile
# A developer's own settings are not those that the tests assume, and no proxy leads to this machine.
# With bytecode written, not every process has to compile all tests again.
PLAIN := env $(foreach name,$(filter-out JOBLENS_TEST_%,$(filter JOBLENS_%,$(.VARIABLES))),-u $(name)) \
	-u PYTHONDONTWRITEBYTECODE no_proxy=127.0.0.1,localhost
# These have targets of their own.
ELSEWHERE := $(foreach name,e2e ops server/redis pgbouncer root packaging queues,--ignore=tests/$(name))
QUEUE_DEMO := .venv/.queue-demo
QUEUES_NODE := tests/queues/node/node_modules/.installed
# One environment for each library that the client for Python workers records. Another folder keeps
# those of another Python: make test-clients CLIENT_PYTHON=python3.10 CLIENT_ENVIRONMENTS=.venv/clients-3.10
CLIENT_ENVIRONMENTS := .venv/clients
CLIENT_PYTHON := $(PYTHON)
CLIENTS := $(foreach name,celery dramatiq rq arq taskiq huey saq,$(CLIENT_ENVIRONMENTS)/$(name)/.installed)
EXHAUSTIVELY := --hypothesis-profile=long

help:  ## Show what can be made
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(VENV) $(PAGE)  ## Install the locked dependencies and build the pages

demo: setup $(if $(findstring --queue,$(ARGS)),$(QUEUE_DEMO))  ## Run Joblens on an embedded PostgreSQL with a sample history (PORT=8001 ARGS=--verbose)
	@$(BIN)/joblens demo $(if $(filter command,$(firstword $(origin PORT))),--port $(PORT)) $(ARGS)

test: setup  ## Run the tests, but for those that take long or need more than Python; check all statements sent against the rules of Citus
	rm -rf build/statements
	$(PLAIN) $(PYTEST) $(AT_ONCE) -p tests.support.sent --statements=build/statements -m "not long" tests $(ELSEWHERE)
	$(PLAIN) $(BIN)/python -m tests.support.check_statements build/statements

test-long: setup  ## Run the tests that take long, and property tests with all their examples
	$(PLAIN) $(PYTEST) $(AT_ONCE) $(EXHAUSTIVELY) -m "long or hypothesis" tests $(ELSEWHERE)

test-mirror: setup .venv/queues/.installed $(QUEUES_NODE) $(QUEUE_DEMO)  ## Run real queues of PyPI and npm with real workers, and mirror them
	$(PLAIN) $(PYTEST) tests/queues

test-packaging: setup .venv/packaging  ## Build the wheel, install it, and run the tests of what is installed
	$(PLAIN) $(PYTEST) tests/packaging

test-database: setup  ## Run the tests that need a database, on JOBLENS_TEST_DATABASE_URL
	$(PLAIN) $(PYTEST) $(AT_ONCE) $(EXHAUSTIVELY) tests/db tests/schema --ignore=tests/schema/limits \
		tests/properties tests/examples tests/server/auth tests/resolvers/roles
	$(PLAIN) $(PYTEST) tests/mirror  # one at a time: slots belong to the whole server

test-redis: setup  ## Run the tests that need redis-server (from the system's packages)
	$(PLAIN) $(PYTEST) tests/server/redis

test-pgbouncer: setup  ## Run the tests of the database through PgBouncer (from the system's packages)
	$(PLAIN) $(PYTEST) tests/pgbouncer
	$(PLAIN) JOBLENS_TEST_PGBOUNCER=1 $(PYTEST) $(AT_ONCE) -m "not direct and not long" tests/db/transfer \
		tests/db/repository tests/db/test_sessions.py tests/db/test_statements.py tests/db/test_isolation.py \
		tests/db/test_codecs.py tests/db/test_cancellation.py

test-curl: setup  ## Run the how-tos' programs that need curl and jq (from the system's packages)
	@command -v curl && command -v jq  # without them the tests would be skipped
	$(PLAIN) $(PYTEST) -k "curl or bash" tests/schema/test_record_jobs.py tests/docs/test_programs.py

test-clients: setup $(CLIENTS)  ## Run the tests of the client for Python workers, which need redis-server
	$(PLAIN) PYTHONPATH=clients/python CLIENT_ENVIRONMENTS=$(CLIENT_ENVIRONMENTS) $(PYTEST) -n 2 --dist loadfile clients/python/tests

test-root: setup  ## Run the tests that need root and Linux: first starts on a new machine
	$(PLAIN) $(PYTEST) tests/root

test-ops: setup .venv/ops/.installed  ## Run the tests of ops/, which need root, Linux, prometheus and systemd (from the system's packages)
	@command -v promtool && command -v prometheus  # without them the tests would be skipped
	$(PLAIN) $(PYTEST) tests/ops

e2e: setup  ## Run the tests in a browser (Chromium from the system's packages, best its headless shell)
	$(PLAIN) $(PYTEST) -n 2 --dist loadfile tests/e2e

check: setup  ## Check style, types, layers, and that schema, docs and migrations have not drifted; run the pages' unit tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --config-file clients/python/pyproject.toml
	$(BIN)/lint-imports
	npm_config_update_notifier=false ./frontend/build.sh $(BIN)/python check
	npm_config_update_notifier=false ./frontend/build.sh $(BIN)/python test
	$(PLAIN) $(PYTEST) tests/drift tests/db/test_migrations.py

format: $(VENV)  ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

schema: $(VENV)  ## Write schema.graphql anew
	$(PLAIN) $(BIN)/joblens schema > schema.graphql

docs: $(VENV)  ## Write the generated pages of docs/reference and the Grafana board anew
	$(PLAIN) $(BIN)/python -m docs.generate
	$(PLAIN) $(BIN)/python -m ops.board

bench: setup  ## Measure, beside a hand-written endpoint, the textbook stack and PostGraphile (ARGS=--help)
	$(PLAIN) $(BIN)/python -m benchmarks $(ARGS)

bench-limits: setup  ## Measure the price of protection: all of it on beside all of it off
	$(PLAIN) $(BIN)/python -m benchmarks.limits

bench-observing: setup  ## Measure the price of metrics, slow queries and traces: on beside off (ARGS=--help)
	$(PLAIN) $(BIN)/python -m benchmarks.observing $(ARGS)

bench-live: setup  ## Measure live updates: 1,000 subscribers, 200 events a second
	$(PLAIN) $(BIN)/python -m benchmarks.live

bench-write: setup  ## Measure changes of status, beside the same statements without Joblens
	$(PLAIN) $(BIN)/python -m benchmarks.writing $(ARGS)

bench-facts: setup  ## Measure facts per second, beside plain INSERTs
	$(PLAIN) $(BIN)/python -m benchmarks.facts $(ARGS)

bench-mirror: setup  ## Measure how far a mirror lags behind 1,000 jobs a second (ARGS=--help)
	$(PLAIN) $(BIN)/python -m benchmarks.mirror $(ARGS)

bench-clients: setup $(CLIENT_ENVIRONMENTS)/celery/.installed  ## Measure Celery with the client's recorder and without, which needs redis-server (ARGS=--help)
	$(PLAIN) $(BIN)/python -m benchmarks.clients $(ARGS)

bench-dashboard: setup  ## Measure the dashboard in a browser, over the ten million jobs of bench-scale (ARGS=--help)
	$(PLAIN) $(BIN)/python -m benchmarks.dashboard $(ARGS)

bench-scale: setup  ## Measure ten million jobs of one organisation, which takes minutes to make (ARGS=--help)
	$(PLAIN) $(BIN)/python -m benchmarks.scale $(ARGS)

lock: $(VENV)  ## Resolve the dependencies of pyproject.toml anew
	$(BIN)/python -m requirements.lock

clean:  ## Remove what setup made
	rm -rf .venv frontend/node_modules frontend/src/dashboard/generated tests/queues/node/node_modules \
		server/graphiql server/dashboard build dist

$(VENV): requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	touch $@

$(CLIENT_ENVIRONMENTS)/%/.installed: clients/python/requirements/%.txt
	test -x $(@D)/bin/python || $(CLIENT_PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

.venv/packaging: $(VENV) requirements/packaging.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --upgrade \
		--target $@ -r requirements/packaging.txt
	touch $@

.venv/queues/.installed: $(VENV) requirements/queues.txt
	test -x .venv/queues/bin/python || $(PYTHON) -m venv .venv/queues
	.venv/queues/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements/queues.txt
	touch $@

.venv/ops/.installed: $(VENV) requirements/ops.txt
	test -x .venv/ops/bin/python || $(PYTHON) -m venv .venv/ops
	.venv/ops/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/ops.txt
	touch $@

$(QUEUES_NODE): $(VENV) tests/queues/node/package-lock.json tests/queues/node/install.sh frontend/node.sh
	./tests/queues/node/install.sh $(BIN)/python
	touch $@

$(QUEUE_DEMO): $(VENV) requirements/queue-demo.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements/queue-demo.txt
	touch $@

$(PAGE): $(VENV) $(PAGE_SOURCES)
	./frontend/build.sh $(BIN)/python
	touch $@
