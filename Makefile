# `make up` and `make test` are all there is to know; `make help` lists the rest.
# What is built lives outside the checkout, under a name made from what it was built from.
SHELL := /bin/bash
export TWO_SPEED_CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/two-speed-gitops
# The interpreter itself, also where PATH begins with a virtual environment or a shim.
BASE_PYTHON ?= $(shell for p in python3.11 python3; do $$p -c 'import sys; print(sys._base_executable)' && break; done 2>/dev/null)
LOCK := requirements-dev.txt
VENV := $(TWO_SPEED_CACHE)/python/$(shell { cat $(LOCK); $(BASE_PYTHON) -VV; } | sha256sum | cut -c1-16)
PY := $(VENV)/bin/python
STACK ?= dev

export PATH := $(VENV)/bin:$(PATH)
export PYTHONDONTWRITEBYTECODE = 1
# Another set of packages makes the cache unreadable.
export MYPY_CACHE_DIR = $(TWO_SPEED_CACHE)/mypy/$(notdir $(VENV))
export RUFF_CACHE_DIR = $(TWO_SPEED_CACHE)/ruff

.PHONY: help up status down clean build approve shell preview toolchain bench bench-previews test \
	test-unit test-scripts test-matrix test-mutation mutation test-lab test-life lint style types schemas \
	shell-scripts format golden lock raise

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

up: toolchain ## start the lab and bring dev and prod up in it
	@$(PY) -m lab up

status: $(VENV)/.ready ## service by environment: version, sync, health
	@$(PY) -m lab status

build: $(VENV)/.ready ## a build of a service by its own pipeline: make build SERVICE=tv-api
	@$(PY) -m lab build $(or $(SERVICE),$(error which service? make build SERVICE=tv-api))

approve: $(VENV)/.ready ## approve a sync as a releaser: make approve SERVICE=tv-api STACK=prod
	@$(PY) -m lab approve $(or $(SERVICE),$(error which service? make approve SERVICE=tv-api)) --environment $(if $(filter-out dev,$(STACK)),$(STACK),prod)

shell: $(VENV)/.ready ## a shell in the checkout of the GitOps repository, for its scripts
	@$(PY) -m lab shell

preview: toolchain ## what `pulumi up` would change: make preview STACK=prod
	@$(PY) -m lab preview $(STACK)

down: $(VENV)/.ready ## stop everything; caches and state stay
	@$(PY) -m lab down

clean: down ## stop everything and forget the lab's state; caches stay
	@$(PY) -m lab clean

BESIDE := types schemas shell-scripts test-unit test-scripts test-mutation

# The lab waits a lot, so all others run beside it. What they say follows at the end.
test: style toolchain ## every check and every test but those of test-life and test-matrix
	@log=$$(mktemp); nice -n 10 $(MAKE) --keep-going --no-print-directory $(BESIDE) >$$log 2>&1 & beside=$$!; \
		$(MAKE) --no-print-directory test-lab; lab=$$?; \
		wait $$beside; status=$$?; cat $$log; rm $$log; exit $$((lab | status))

test-unit: $(VENV)/.ready ## in a minute, without the lab's programs and network
	@$(PY) -m pytest --numprocesses auto --dist loadfile tests/unit lab/tests/unit

test-mutation: $(VENV)/.ready ## whether tests notice faults in functions that a change touches
	@$(PY) -m tests.mutation --changed

mutation: $(VENV)/.ready ## the same for the whole program, or for make mutation MODULES=settings.rules
	@$(PY) -m tests.mutation $(MODULES)

test-scripts: toolchain ## the release scripts and pipelines, in scratch repositories
	@PATH="$$($(PY) -m lab.toolchain path):$$PATH" $(PY) -m pytest --numprocesses auto --dist loadfile tests/scripts

bench: toolchain ## how long rendering, promoting and rolling back take with 500 services
	@PATH="$$($(PY) -m lab.toolchain path):$$PATH" $(PY) -m bench.releases

bench-previews: toolchain ## how long previews from scratch take, against the engine's floor; beside a running lab
	@$(PY) -m lab.bench.previews

test-matrix: toolchain ## the same with every Python, Git, locale and set of tools that is here; half an hour
	@PATH="$$($(PY) -m lab.toolchain path):$$PATH" $(PY) -m tests.scripts.matrix --numprocesses auto tests/scripts

LIFE := $(addprefix lab/tests/environment/,test_life_of_a_stack.py test_node_schedules.py)

test-lab: toolchain ## against the real parts
	@PATH="$$($(PY) -m lab.toolchain path):$$PATH" $(PY) -m pytest $(LIFE:%=--ignore=%) lab/tests/environment

test-life: toolchain ## environments that are killed, destroyed and made anew, in the lab; half an hour
	@PATH="$$($(PY) -m lab.toolchain path):$$PATH" $(PY) -m pytest $(LIFE)

lint: style types schemas shell-scripts ## style, formatting, types, schemas, shell scripts

style: $(VENV)/.ready
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet .

types: $(VENV)/.ready
	@$(PY) -m mypy

schemas: $(VENV)/.ready
	@check-jsonschema --quiet --schemafile docs/stack.schema.json Pulumi.*.yaml
	@check-jsonschema --quiet --schemafile docs/services.schema.json services.yaml
	@check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*
	@check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	@check-jsonschema --quiet --builtin-schema vendor.github-issue-forms \
		$(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))

shell-scripts: $(VENV)/.ready
	@shellcheck $$(git ls-files .ci '*.sh' '*.bash')

format: $(VENV)/.ready ## put the code into its standard form
	@$(PY) -m ruff check --quiet --fix .
	@$(PY) -m ruff format .

golden: $(VENV)/.ready ## write tests/golden and generated docs anew: look at the difference before you commit it
	@$(PY) -m pytest tests/unit --regenerate

lock: $(VENV)/.ready ## resolve the Python packages of the product, its tests and the lab anew, with hashes
	@$(PY) -m uv pip compile --quiet --upgrade --generate-hashes --no-header --no-annotate \
		--python-version 3.11 requirements.txt lab/pyproject.toml --group dev \
		--group lab/pyproject.toml:types -o $(LOCK)

raise: $(VENV)/.ready ## pin another version of a program of the lab: make raise TOOL=helm VERSION=v3.23.0
	@$(PY) -m lab.toolchain raise $(TOOL) $(VERSION)

toolchain: $(VENV)/.ready ## build what is missing of the lab's programs
	@$(PY) -m lab.toolchain build

# Its folder is named after what the lock says, so the lock's age says nothing.
$(VENV)/.ready: | $(LOCK)
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Python 3.11 is needed, and $(BASE_PYTHON) is another: set BASE_PYTHON" >&2; exit 1; }
	@echo "installing the locked Python packages (once, about a minute)…"
	@rm -rf $(VENV) && $(BASE_PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@touch $@
