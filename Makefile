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
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-24s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- a cluster on this machine

up: $(built) ## start a manager on PORT=7400 and NODES=3 nodes in the background, data in DATA=.twofold
	@bin/cluster up

down: ## stop what `up` started
	@bin/cluster down

stop: ## stop one of what `up` started: NAME=n1, or NAME=manager; `up` starts it again
	@NAME='$(NAME)' bin/cluster stop

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

# --- scheduled backups
# NODE is the machine, an agent by its name; NODE_PATH the folder on it, whose path may have any characters but
# a newline.

quote = '$(subst ','\'',$(1))'
# Node would look for packages in it.
unexport NODE_PATH
FREQ ?= 15m
client_folder = $(abspath $(DATA))/clients/$(1)
clients := 1 2 3 4 5 6 7 8
# What `schedule add` ends with where there is such a schedule already.
refused := 13
creators := 1 2 3 4 5 6 7 8 9 10

agent: $(built) ## run an agent in the foreground: NODE=web1 ALLOW=/srv
	@test -n $(call quote,$(NODE)) -a -n $(call quote,$(ALLOW)) || { echo 'say who and what: make agent NODE=web1 ALLOW=/srv'; exit 1; }
	@exec bin/twofold agent --name $(call quote,$(NODE)) --allow $(call quote,$(ALLOW))

new-client: $(built) ## run an agent in the background: NODE=web1, ALLOW=.twofold/clients/web1
	@test -n $(call quote,$(NODE)) || { echo 'name it: make new-client NODE=web1'; exit 1; }
	@bin/cluster clients $(call quote,$(NODE)) $(call quote,$(or $(ALLOW),$(call client_folder,$(NODE))))

admin-register-node: $(built) ## have a folder backed up: NODE=web1 NODE_PATH=/srv/site FREQ=15m
	@test -n $(call quote,$(NODE)) -a -n $(call quote,$(NODE_PATH)) || \
	  { echo 'say what: make admin-register-node NODE=web1 NODE_PATH=/srv/site FREQ=15m'; exit 1; }
	@bin/twofold schedule add --agent $(call quote,$(NODE)) --path $(call quote,$(NODE_PATH)) --every $(call quote,$(FREQ))

admin-unregister-node: $(built) ## end that: NODE=web1 NODE_PATH=/srv/site; its backups stay
	@test -n $(call quote,$(NODE)) -a -n $(call quote,$(NODE_PATH)) || \
	  { echo 'say what: make admin-unregister-node NODE=web1 NODE_PATH=/srv/site'; exit 1; }
	@bin/twofold schedule remove --agent $(call quote,$(NODE)) --path $(call quote,$(NODE_PATH))

admin-query-node: $(built) ## write its newest backup to a file: NODE=web1 NODE_PATH=/srv/site SAVE_TO_FILE=site.tgz
	@test -n $(call quote,$(NODE)) -a -n $(call quote,$(NODE_PATH)) -a -n $(call quote,$(SAVE_TO_FILE)) || \
	  { echo 'say what: make admin-query-node NODE=web1 NODE_PATH=/srv/site SAVE_TO_FILE=site.tgz'; exit 1; }
	@bin/twofold fetch --agent $(call quote,$(NODE)) --path $(call quote,$(NODE_PATH)) --output $(call quote,$(SAVE_TO_FILE))

init-nodes: $(built) ## eight agents, client1 to client8, whose folders are backed up every FREQ=15m
	@bin/cluster clients $(foreach number,$(clients),client$(number) $(call quote,$(call client_folder,client$(number))))
	@for number in $(clients); do \
	  bin/twofold schedule add --agent client$$number --path $(call quote,$(call client_folder,client))$$number \
	    --every $(call quote,$(FREQ)) || [ $$? -eq $(refused) ] || exit 1; \
	done

new-content-creator: $(built) ## append a line a second in the background: NODE=client1 FILE=.twofold/clients/client1/work.log
	@test -n $(call quote,$(or $(FILE),$(NODE))) || { echo 'say where: NODE=client1, or FILE=/some/file'; exit 1; }
	@bin/cluster creator $(call quote,$(or $(CREATOR),$(NODE),one)) $(call quote,$(or $(FILE),$(call client_folder,$(NODE))/work.log))

init-content-creators: $(built) ## ten of them, in the folders of the eight agents
	@for number in $(creators); do \
	  folder=$(call quote,$(call client_folder,client))$$(( (number - 1) % 8 + 1 )); \
	  bin/cluster creator "$$number" "$$folder/work-$$number.log" || exit 1; \
	done

kill-content-creators: ## stop all that write
	@bin/cluster no-creators

# --- see it work

demo: $(built) ## back up SRC (default: node_modules), kill a node, restore, compare
	@node bench/demo.ts $(if $(SRC),"$(SRC)")

demo-schedules: $(built) ## two agents, ten writers, a minute of scheduled backups, a .tgz that is checked: SECONDS=60
	@SECONDS=$(or $(SECONDS),60) node bench/demo-schedules.ts

pictures: $(built) ## draw docs/pictures again, from real runs
	@node bench/pictures.ts

bench: $(built) ## measure it on this machine; PEERS=1: other programs too; options in BENCH='--scale 0.1 --runs 1'
	@node bench/bench.ts $(if $(filter-out 0,$(PEERS)),--peers) $(BENCH)

bench-series: $(built) ## measure how cost grows: SERIES=catalogue,nodes; options in BENCH='--max 10000 --plot docs'
	@test -n "$(SERIES)" || { echo 'name them: make bench-series SERIES=catalogue,nodes,clients,files,bytes'; exit 1; }
	@node bench/series.ts --series $(SERIES) $(BENCH)

repair-drill: $(built) ## kill one of five nodes: how long until all has two copies? up to 10 GB; BENCH='--max 500000000'
	@node bench/series.ts --series repair $(BENCH)

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

man: $(generated) ## write the manual pages to dist/man/man1, from what --help shows
	@node --disable-warning=ExperimentalWarning src/cli/write-man-pages.ts dist/man/man1

# --- test

test: $(built) ## run all tests
	@node test/support/side-by-side.ts

test-unit: $(generated) ## run the fast tests: units, contracts, tidiness
	@$(mocha) $(fast_tests)

test-integration: $(generated) ## run the tests of pieces together
	@$(mocha) 'test/integration/**/*.test.ts'

test-sim: $(generated) ## run the simulation
	@$(mocha) 'test/sim/**/*.test.ts'

sim: $(generated) ## run the simulation on more seeds: SEEDS=1000 FIRST=1 JOBS=2, or one: SEED=42 TRACE=1
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

.PHONY: help up down stop status logs manager node backup restore demo pictures bench bench-series repair-drill install \
  proto breaking build man agent new-client admin-register-node admin-unregister-node admin-query-node init-nodes \
  new-content-creator init-content-creators kill-content-creators demo-schedules \
  sim sim-mutants test test-unit test-integration test-sim test-e2e chaos crash-sweep lint fix verify clean
