# Everything that a person does with this project. `make help` lists it.
#
# A machine needs Node (20.20 is enough to start), npm, git and make. The Node that does the work comes with the packages.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

DATA ?= .twofold
PORT ?= 7400
NODES ?= 3
CAPACITY ?= 10GB
SNAPSHOT ?= latest
TARGET ?= $(DATA)/restored
AGAINST ?= .git\#branch=main
TWOFOLD_MANAGER ?= 127.0.0.1:$(PORT)

export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export DATA PORT NODES CAPACITY TWOFOLD_MANAGER

installed := node_modules/.package-lock.json
generated := src/gen/descriptors.ts
built := dist/.built

protos := $(wildcard proto/twofold/v1/*.proto) buf.gen.yaml buf.yaml proto/descriptors.ts
sources := $(filter-out src/gen/%,$(shell find src -name '*.ts' -o -name '*.tsx'))

mocha := node node_modules/mocha/bin/mocha.js
fast_tests := 'test/unit/**/*.test.ts' 'test/contract/**/*.test.ts' 'test/tidy/**/*.test.ts'

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- a cluster on this machine

up: $(built) ## start a manager on PORT=7400 and NODES=3 nodes in the background, data in DATA=.twofold
	@bin/cluster up

down: ## stop what `up` started
	@bin/cluster down

status: $(built) ## say whether the cluster is well
	@bin/twofold status

logs: ## show the end of every log in DATA; FOLLOW=1 goes on
	@tail -n 20 $(if $(FOLLOW),-f) $(DATA)/logs/*.log

manager: $(built) ## run a manager in the foreground on PORT
	@exec bin/twofold manager --data $(DATA)/manager --listen 127.0.0.1:$(PORT)

# Here PORT is the node's; the manager is where TWOFOLD_MANAGER says.
node: TWOFOLD_MANAGER := $(if $(filter environment command\ line,$(origin TWOFOLD_MANAGER)),$(TWOFOLD_MANAGER),127.0.0.1:7400)
node: $(built) ## run one more node in the foreground: NODE=n4 PORT=7404 CAPACITY=10GB
	@test -n "$(NODE)" || { echo 'name it: make node NODE=n4 PORT=7404'; exit 1; }
	@exec bin/twofold node --name $(NODE) --data $(DATA)/$(NODE) --listen 127.0.0.1:$(PORT) --capacity $(CAPACITY)

backup: $(built) ## back up SRC=/some/folder
	@test -n "$(SRC)" || { echo 'name what to back up: make backup SRC=/some/folder'; exit 1; }
	@bin/twofold backup "$(SRC)"

restore: $(built) ## restore SNAPSHOT=latest to TARGET=.twofold/restored
	@bin/twofold restore "$(SNAPSHOT)" --target "$(TARGET)"

# --- see it work

demo: $(built) ## back up SRC (default: node_modules), kill a node, restore, compare
	@node bench/demo.ts $(if $(SRC),"$(SRC)")

bench: $(built) ## measure it on this machine; PEERS=1: other programs too; options in BENCH='--scale 0.1 --runs 1'
	@node bench/bench.ts $(if $(filter-out 0,$(PEERS)),--peers) $(BENCH)

bench-series: $(built) ## measure how cost grows: SERIES=catalogue,nodes; options in BENCH='--max 10000 --plot docs'
	@test -n "$(SERIES)" || { echo 'name them: make bench-series SERIES=catalogue,nodes,clients,files,bytes'; exit 1; }
	@node bench/series.ts --series $(SERIES) $(BENCH)

# --- build

install: $(installed) ## install the packages

$(installed): package-lock.json
	npm ci
	@touch $@

proto: ## lint the protocol and generate code from it
proto: $(installed)
	buf lint
	@$(MAKE) -B $(generated)

$(generated): $(protos) | $(installed)
	buf generate
	node proto/descriptors.ts

breaking: $(installed) ## compare the protocol with another version: AGAINST=.git#branch=main
	buf breaking --against '$(AGAINST)'

build: $(built) ## compile to dist/

$(built): $(sources) $(generated) tsconfig.json | $(installed)
	node node_modules/tsc7/bin/tsc -p .
	@touch $@

# --- test

test: $(built) ## run all tests
	@$(mocha) 'test/**/*.test.ts'

test-unit: $(generated) ## run the fast tests: units, contracts, tidiness
	@$(mocha) $(fast_tests)

test-integration: $(generated) ## run the tests of pieces together
	@$(mocha) 'test/integration/**/*.test.ts'

test-sim: $(generated) ## run the simulation
	@$(mocha) 'test/sim/**/*.test.ts'

sim: $(generated) ## run the simulation on more seeds: SEEDS=1000, FIRST=1, or one: SEED=42 TRACE=1
	@node --disable-warning=ExperimentalWarning test/sim/main.ts

sim-mutants: $(generated) ## take one rule of the protocol away after the other: does the simulation notice?
	@node --disable-warning=ExperimentalWarning test/sim/mutants-main.ts

test-e2e: $(built) ## run the tests on real processes
	@$(mocha) 'test/e2e/**/*.test.ts'

chaos: $(built) ## faults on real processes for MINUTES=1 (SEED=7), then everything acknowledged is compared
	@MINUTES='$(MINUTES)' SEED='$(SEED)' node test/chaos/chaos.ts

crash-sweep: $(built) ## kill a process at every system call that changes a file: SCENARIO=upload POINTS=20
	@SCENARIO='$(SCENARIO)' $(if $(POINTS),POINTS='$(POINTS)') node test/chaos/crash-sweep.ts

lint: $(generated) ## check types, style and protocol
	node node_modules/tsc7/bin/tsc --noEmit -p .
	node node_modules/tsc7/bin/tsc --noEmit -p test
	eslint .
	buf lint

fix: $(generated) ## repair style and format
	eslint --fix .
	prettier --write --log-level warn .
	buf format -w

verify: lint ## check everything that needs no test run: types, lint, format, tidiness
	prettier --check --log-level warn .
	buf format -d --exit-code
	@$(mocha) 'test/tidy/**/*.test.ts'

clean: ## remove what was built and generated; data and packages stay
	rm -rf dist src/gen coverage

.PHONY: help up down status logs manager node backup restore demo bench bench-series install proto breaking build \
  sim sim-mutants test test-unit test-integration test-sim test-e2e chaos crash-sweep lint fix verify clean
