# Every target sets up what it needs by itself; `make help` lists them.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-postgres test-replicas test-faults test-operations test-removals irc-check bench bench-redaction check lint types imports quality proto errors proto-check manifests-check manifests-checkov migrations-check images-tools images images-test lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(STAMP) ## create .venv with the locked packages

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

export CHAT SUBJECT WINDOW

demo: setup ## the whole chain on one chat: make demo [CHAT=path] [SUBJECT=name] [WINDOW=start/end] [DATES=day-first]
	$(BIN)/python -m garim.cli.demo --chat "$$CHAT" --subject "$$SUBJECT" --window "$$WINDOW" $(DATES:%=--%)

test: setup ## all tests that need nothing beyond what set-up installs
	$(BIN)/python -m pytest -n 2 -q --ignore tests/images --ignore tests/replicas --ignore tests/faults --ignore tests/operations tests

test-postgres: setup ## the services' unit tests once more, on a real PostgreSQL server
	GARIM_TEST_ENGINE=postgres $(BIN)/python -m pytest -n 2 -q tests/unit/audit tests/unit/custody \
	  tests/unit/messages tests/unit/redaction tests/unit/warrants

test-replicas: setup ## two processes of messages and of warrants on one PostgreSQL database, restarted under load
	$(BIN)/python -m pytest -q tests/replicas

export ROUNDS SEED

test-faults: setup ## services, database, disks and clocks fail under load: make test-faults [ROUNDS=200] [SEED=…]
	@command -v fiu-run >/dev/null || apt-get install -y -qq --no-install-recommends fiu-utils \
	  || echo "without fiu-utils the scenarios of failing disks are skipped"
	$(BIN)/python -m pytest -q -s -rs tests/faults

test-operations: setup ## rehearsals with traffic on: upgrade from 0.1.0, rotation, backup and restore; failed calls
	$(BIN)/python -m pytest -q -rP tests/operations

test-removals: setup ## take out each security check in turn; a test must turn red for each
	$(BIN)/python tests/removals/run.py

irc-check: setup ## disclose ten real IRC rooms for thirty subjects; no bystander may stand there (needs ../shared)
	$(BIN)/python tests/e2e/irc_check.py

BENCH_TEXT = $(wildcard ../shared/testdata/gold/songys_negatives.txt ../shared/testdata/gold/irc_dev.jsonl)

bench: setup ## figures of the running system, each beside a peer of the same run
	$(BIN)/garim bench all $(BENCH_TEXT:%=--text %)
	PYTHONPATH=tests $(BIN)/python tests/bench/chain.py
	PYTHONPATH=tests $(BIN)/python tests/bench/documents.py

bench-redaction: setup ## masking beside datafog, Presidio, maskingtape and ko-pii, which it installs apart
	PYTHONPATH=tests $(BIN)/python tests/bench/redaction.py

check: lint types imports quality proto-check migrations-check ## every check besides the tests

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports --no-cache

quality: setup
	$(BIN)/vulture
	$(BIN)/bandit -q -c pyproject.toml -r services/garim
	$(BIN)/deptry .

proto: setup ## generate the stubs anew
	rm -rf build/proto && mkdir -p build/proto
	$(BIN)/python protos/generate.py build/proto
	rm -rf services/garim/api && cp -r build/proto/garim/api services/garim/api

errors: setup ## the catalogue of reasons with statuses and retries, as build/errors.json and build/errors.md
	$(BIN)/python protos/errors.py build/errors.json
	$(BIN)/python protos/errors.py build/errors.md

proto-check: setup
	$(BIN)/buf lint protos
	$(BIN)/buf format --diff --exit-code protos
	$(BIN)/buf breaking protos --against $(lastword $(sort $(wildcard protos/garim-*.binpb)))
	rm -rf build/proto-check && mkdir -p build/proto-check
	$(BIN)/python protos/generate.py build/proto-check
	diff -r -x __pycache__ build/proto-check/garim/api services/garim/api

migrations-check: setup ## squawk over what each migration does on PostgreSQL
	$(BIN)/python tests/migrations/lint.py

manifests-check: setup ## the Kubernetes manifests against schemas, types and the code
	PYTHONPATH=services:tests $(BIN)/python -m pytest -q tests/deploy
	PYTHONPATH=services:tests $(BIN)/python deploy/checks/crds.py

manifests-checkov: setup ## checkov over the manifests; installs it apart, a minute
	PYTHONPATH=services:tests $(BIN)/python deploy/checks/checkov.py

images-tools: ## what make images and images-test need, from Debian packages (needs root)
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends buildah podman runc netavark aardvark-dns iptables mmdebstrap

images: setup ## one image for each service, and its bill of materials (needs root)
	$(BIN)/python deploy/images/build.py

images-test: setup ## every service in its container: locked down, a disclosure across them, calm stops (needs root)
	$(BIN)/python -m pytest -q -rs tests/images

# Every extra but spacy, which no service needs and whose packages are large.
lock: setup ## pin the newest allowed packages
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet pyproject.toml --extra cli --group dev --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-package garim -o requirements.lock

clean:
	rm -rf $(VENV) build .garim
