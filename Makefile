# Everything a person types here. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BASE_PYTHON := $(firstword $(foreach v,python3.13 python3.12 python3.11 python3 python,$(shell \
	command -v $(v) >/dev/null 2>&1 && $(v) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(v))))
PYTHON := .venv/bin/python
RUN := .venv/.run-$(firstword $(shell cksum deploy/locks/run.txt))
# The command .venv/bin/hearthbeat, from this checkout, built with what the locks hold.
COMMAND := $(PYTHON) -m pip install --quiet --no-deps --no-build-isolation --no-index -e .
DEV := .venv/.dev-$(firstword $(shell cksum deploy/locks/dev.txt))

FOR ?= 0
SPEED ?= 60
HOMES ?= 20
SEED ?= 1
REPLAY ?=
PEOPLE ?= 20
KILLS ?= 40
UPLINKS ?= 50000
LINE ?=
BASE ?= HEAD
COUNT ?= 10
ROWS ?= 50000000
EXECUTIONS ?= 1000000
EXAMPLES ?= 50000
CALLS ?= 5000
TO ?=
DATA ?=
SCENARIOS ?=
PAGE ?=
FROM ?=
STACK ?= dev
ON ?= auto
PROFILE ?= clinic
FILES ?= tests/scenarios
# Tests that measure no time: they run on the second core while the others wait for theirs.
BESIDE := tests/contract tests/integration/medication tests/integration/test_broker_access.py \
	tests/integration/test_cli.py tests/integration/test_corpus_registration.py tests/integration/test_grafana_queries.py \
	tests/integration/test_prometheus_rules.py \
	$(wildcard tests/integration/test_chart*.py tests/integration/test_caregiver_*.py tests/integration/test_medication_*.py) \
	$(filter-out %/test_api_crowds.py,$(wildcard tests/integration/test_api_*.py))
# They wait for a disk that is full, for images, or for what a device may send in a while: a third row of tests.
WAITING := tests/e2e/test_containers.py tests/e2e/test_full_disk.py tests/integration/test_device_cost.py
# They step a clock, and compute all the time: whoever waits for the clock goes first.
STEPPED := tests/e2e/test_scenarios.py

.PHONY: help demo up down images backup restore scenarios same-findings test unit check fix bench growth chaos chaos-selftest properties mutations faults scale drill fuzz scorecard train audit

help:  ## Lists these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

$(PYTHON):
	@test -n "$(BASE_PYTHON)" || { echo "HearthBeat needs Python 3.11 or newer; none was found on PATH." >&2; exit 1; }
	$(BASE_PYTHON) -m venv .venv

$(RUN): deploy/locks/run.txt | $(PYTHON)
	@ls .venv/.dev-* >/dev/null 2>&1 || $(PYTHON) -m pip install --quiet --require-hashes -r deploy/locks/run.txt
	@$(COMMAND)
	@touch $@

$(DEV): deploy/locks/dev.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --no-compile --require-hashes -r deploy/locks/dev.txt
	@$(COMMAND)
	@rm -f .venv/.dev-* && touch $@

demo: $(RUN)  ## Simulated homes, every service and the doctor's page, from Python wheels alone [FOR=s SPEED=60 HOMES=20 SEED=n REPLAY=file PEOPLE=n]
	@$(PYTHON) -m deploy.demo --for-s $(FOR) --speed $(SPEED) --homes $(HOMES) --seed $(SEED) --people $(PEOPLE) $(if $(REPLAY),--replay "$(REPLAY)")

up: $(DEV)  ## The full stack and every service: in containers where Docker answers, else on a Debian root [ON=docker|debian PROFILE=clinic|demo HOST=name WATCHED=1]
	@# Some shells have a HOST of their own, and by that nobody has asked to be reached from elsewhere.
	@$(PYTHON) -m deploy.running up --on $(ON) --profile $(PROFILE) $(if $(filter command,$(origin HOST)),--host "$(HOST)") \
		$(if $(WATCHED),--watched)

down:  ## Ends what `make up` started
	@$(PYTHON) -m deploy.running down

images: $(DEV)  ## Builds the images: services, mosquitto, Kafka, TimescaleDB, Prometheus [BASE_IMAGE=… TIMESCALE_IMAGE=… KAFKA_IMAGE=… MOSQUITTO_IMAGE=… PROMETHEUS_IMAGE=…]
	@$(PYTHON) -m deploy.containers build

scenarios: $(RUN)  ## Plays scenario files and judges what the platform said [FILES="file folder/" SPEED=max STACK=embedded]
	@$(PYTHON) -m deploy.scenarios $(FILES) --speed $(if $(filter command line environment,$(origin SPEED)),$(SPEED),max) \
		--stack $(if $(filter full,$(STACK)),full,embedded)

test: $(DEV)  ## Sets up what it needs, then runs every test
	@mkdir -p .local/reports && rm -f .local/reports/prepared
	@echo "tests/unit, tests/repo, tests/contract and the console's tests run beside the others, which mostly wait"
	@# Whoever gives way to the others may take long: a limit of time only ends what hangs.
	@(nice $(PYTHON) -m tests.covered -q --timeout=900 tests/unit tests/repo >.local/reports/unit.log 2>&1; units=$$?; \
	until [ -e .local/reports/prepared ]; do sleep 1; done; \
	nice $(PYTHON) -m pytest -q --timeout=900 $(BESIDE) >.local/reports/beside.log 2>&1; beside=$$?; \
	nice $(PYTHON) -m pytest -q --timeout=900 $(STEPPED) >>.local/reports/beside.log 2>&1; exit $$((units | beside | $$?))) & beside=$$!; \
	$(PYTHON) -m deploy.local prepare --browser --helm --promtool --docker || { pkill -P $$beside; kill $$beside; exit 1; }; \
	touch .local/reports/prepared; \
	$(PYTHON) -m pytest -q $(WAITING) >.local/reports/waiting.log 2>&1 & waiting=$$!; \
	$(PYTHON) -m pytest --ignore=tests/unit --ignore=tests/repo $(addprefix --ignore=,$(BESIDE) $(WAITING) $(STEPPED)) \
		--durations=25; others=$$?; \
	wait $$beside; units=$$?; wait $$waiting; waited=$$?; \
	cat .local/reports/unit.log .local/reports/beside.log .local/reports/waiting.log; exit $$((others | units | waited))

unit: $(DEV)  ## The tests that open no socket, in two to four minutes, and how much of the product they execute
	$(PYTHON) -m tests.covered -q tests/unit

check: $(DEV)  ## Format, lint, types, import contracts, sizes
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest -q tests/repo

fix: $(DEV)  ## Repairs what a tool can repair
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

audit: $(DEV)  ## What HearthBeat is made of: advisories, licences, hashes, bill of materials; 3 is no all-clear [DATA=folder]
	@$(PYTHON) -m deploy.audit $(if $(DATA),--data "$(DATA)")

bench: $(DEV)  ## How fast the full stack is on this machine
	@$(PYTHON) -m tests.proving.bench

chaos: $(DEV)  ## Kills everything at random while homes stream; nothing may be lost [KILLS=40 UPLINKS=50000 SEED=n]
	@$(PYTHON) -m tests.proving.chaos --kills $(KILLS) --uplinks $(UPLINKS) --seed $(SEED)

chaos-selftest: $(DEV)  ## Plants ten defects in copies; chaos must find each
	@$(PYTHON) -m tests.proving.chaos.selftest --seed $(SEED)

properties: $(DEV)  ## The unit tests with examples drawn anew by the seed; `make test` draws the same each time [SEED=n]
	@HB_EXAMPLES=anew $(PYTHON) -m pytest -q --timeout=3600 --hypothesis-seed=$(SEED) tests/unit

mutations: $(DEV)  ## Plants small wrong changes in copies of the source, some by name and COUNT by the seed; a test must notice each [OF=score|alerts|doses SEED=n COUNT=10]
	@$(PYTHON) -m tests.proving.mutations --of $(or $(OF),score) --named --seed $(SEED) --count $(COUNT)

faults: $(DEV)  ## The fault matrix: forty faults, each with what must hold after it [LINE=n SEED=n]
	@$(PYTHON) -m tests.proving.faults $(foreach n,$(LINE),--line $(n)) --seed $(SEED)

same-findings: $(DEV)  ## Replays a recorded log with BASE and with today's score; findings have to be the same [BASE=commit REPLAY=file PEOPLE=20 SEED=n WHATEVER_THE_RATIONALE=1]
	@$(PYTHON) -m tests.proving.findings --base "$(BASE)" --seed $(SEED) --people $(PEOPLE) \
		$(if $(REPLAY),--recording "$(REPLAY)") $(if $(WHATEVER_THE_RATIONALE),--whatever-the-rationale)

scorecard: $(DEV)  ## How good alerts are on recorded people, beside what people would have otherwise [DATA=folder SCENARIOS=folder SEED=n PAGE=1]
	@$(PYTHON) -m tests.proving.scorecard --seed $(SEED) $(if $(DATA),--data "$(DATA)") \
		$(if $(SCENARIOS),--scenarios "$(SCENARIOS)") $(if $(PAGE),--page)

train: $(DEV)  ## Fits everything that is learned on the recordings of a folder, and writes artefacts/ with a card of each model [DATA=folder SEED=n]
	@test -n "$(DATA)" || { echo "DATA=folder has to name the folder of the recordings." >&2; exit 2; }
	@$(PYTHON) -m tests.proving.training --data "$(DATA)" --seed $(SEED)

growth: $(DEV)  ## Readings from 1 M to ROWS: insert rate, bytes a row, panel queries p95 [ROWS=50000000]
	@$(PYTHON) -m tests.proving.growth --rows $(ROWS)

backup: $(DEV)  ## The running database as one file [TO=file STACK=dev]
	@$(PYTHON) -m deploy.running backup --stack $(STACK) $(if $(TO),--to "$(TO)")

restore: $(DEV)  ## Puts a backup in the place of the database; log and devices bring the rest [FROM=file STACK=dev]
	@$(PYTHON) -m deploy.running restore --stack $(STACK) --from "$(FROM)"

drill: $(DEV)  ## Loses the database and restores it, then lets timers fall due while services are down [SEED=n]
	@$(PYTHON) -m tests.proving.drill --seed $(SEED)

fuzz: $(DEV)  ## Fuzzes decoder, ingest's properties and the console's API [EXECUTIONS=1000000 EXAMPLES=50000 CALLS=5000 SEED=n]
	@$(PYTHON) -m tests.proving.fuzz everything --executions $(EXECUTIONS) --examples $(EXAMPLES) --calls $(CALLS) --seed $(SEED)

scale: $(DEV)  ## Two of every service under load, one leaving and joining every 10 s; nothing may be lost [SEED=n]
	@$(PYTHON) -m tests.proving.scale --seed $(SEED)
