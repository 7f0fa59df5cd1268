PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
RUN := $(VENV)/bin
PYTEST = $(RUN)/python -m pytest -n 2 --dist worksteal
LOCK = $(RUN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

SEEDS ?= 1000
KILLS ?= 20
EXAMPLES ?= 1000
ROOM ?= plan

.PHONY: demo test test-slow test-all simulate kills fuzz mutate check docs generate format bench bench-compare lock clean

demo: $(VENV)/ready  ## plan, apply and drift of manifests/ on the embedded sandbox
	@$(RUN)/python tests/demo.py

test: $(VENV)/ready  ## the fast tests, in about a minute; each property a few times
	$(PYTEST) -m "not slow"

test-slow: $(VENV)/ready  ## the others: faults, kills, whole workflows, the OpenAPI description; each property in full
	$(PYTEST) -m "slow or hypothesis" --hypothesis-profile=full

test-all: $(VENV)/ready  ## every test, each property in full
	$(PYTEST) --hypothesis-profile=full

simulate: $(VENV)/ready  ## so many simulated days in which everything goes wrong: SEEDS=1000
	$(RUN)/python -m tests.simulation $(SEEDS)

kills: $(VENV)/ready  ## so many kills of the command, half as many of the service under load: KILLS=20
	KILLS=$(KILLS) $(PYTEST) tests/acceptance/test_kills.py

fuzz: $(VENV)/ready  ## so many inputs from outside, of each kind, each in 5 s and 200 MiB: EXAMPLES=1000
	$(RUN)/python -m tests.fuzz $(EXAMPLES)

mutate: $(VENV)/ready  ## a room's code broken in every small way: ROOM=plan, apply, evidence or escaping; NTH=5 tries every fifth
	$(RUN)/python -m tests.mutation $(ROOM) $(NTH)

check: $(VENV)/ready  ## linters, types, the arrows of the house
	$(RUN)/ruff format --check
	$(RUN)/ruff check
	$(RUN)/mypy
	$(RUN)/mypy .github/plan_refs.py .github/reviewed.py .github/superseded.py hatch_build.py
	PYTHONPATH=. $(RUN)/lint-imports --no-cache
	$(RUN)/zizmor --offline --no-progress --quiet .
	$(RUN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(RUN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	$(RUN)/python -m tests.workflows.shellcheck

docs: .venv-docs/ready  ## docs/ as a site in site/; a link that leads nowhere is an error
	.venv-docs/bin/zensical build --strict --clean

generate: $(VENV)/ready  ## write what stands in docs/ as the program says it itself, and the README's picture
	$(RUN)/python -m tests.docs.generated

format: $(VENV)/ready
	$(RUN)/ruff check --fix
	$(RUN)/ruff format

bench: .venv-bench/ready .venv-peers/ready  ## the speed budget, both sides in one run, and peers; kept in .bench/
	@.venv-bench/bin/python -m tests.bench.bench

bench-compare: $(VENV)/ready  ## two such runs side by side: BEFORE=FILE AFTER=FILE, else the last two
	@$(RUN)/python -m tests.bench.table $(or $(BEFORE),$(shell ls -t .bench/*.json | sed -n 2p)) \
		$(or $(AFTER),$(shell ls -t .bench/*.json | sed -n 1p))

lock: $(VENV)/ready  ## resolve the dependencies anew
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	$(LOCK) --upgrade --extra sandbox --extra serve pyproject.toml -o requirements.txt
	$(LOCK) --upgrade --extra sandbox --extra serve --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	$(LOCK) --group build -c requirements-dev.txt -o requirements-build.txt
	$(LOCK) --upgrade --group install -o requirements-uv.txt
	$(LOCK) --upgrade --group peers -o requirements-peers.txt
	$(LOCK) --upgrade --group docs -c requirements-dev.txt -o requirements-docs.txt
	$(LOCK) --group release -c requirements-dev.txt -o requirements-release.txt

$(VENV)/ready: pyproject.toml requirements-dev.txt
	@echo "installing into $(VENV): a minute, the first time"
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

# The site's generator alone: who runs the tests needs none of it.
.venv-docs/ready: requirements-docs.txt
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.txt
	@touch $@

# What the benchmark holds us against.
.venv-peers/ready: requirements-peers.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-peers.txt
	@touch $@

# What a user has: the runtime dependencies and the package, compiled, without what development brings along.
.venv-bench/ready: pyproject.toml requirements.txt $(shell find reconciler -name '*.py')
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall .
	@touch $@

clean:
	rm -rf $(VENV) .venv-bench .venv-docs .venv-peers .bench .reconciler .cache build dist site
