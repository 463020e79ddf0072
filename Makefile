# Everything that one does here. Each target installs what it needs: Python 3.11+ (with venv), Node 20.19+ and make suffice.

PYTHON ?= python3
PORT ?= 4173
export PORT

BIN := .venv/bin
VENV := .venv/.installed
NODE := node_modules/.installed
RIVET := examples/rivet/dist/.built

.PHONY: rivet run build serve test test-browsers soak lint format bench clean chromium install

run: build ## build the page and serve it at http://127.0.0.1:4173/, with an agent's server for it
	@$(BIN)/python -m web.build.run

build: $(VENV) $(NODE) ## the page, as static files in dist/
	@$(BIN)/python web/build/wheels.py
	@node web/build/snapshot.mjs
	@npx --no-install vite build --logLevel warn
	@node web/build/offline.mjs

serve: $(VENV) ## serve dist/ as it is
	@$(BIN)/python web/build/serve.py

test: lint build $(RIVET) ## linters, build, then every test in CPython and in Chromium, a few files at a time
	@CHROMIUM="$$($(BIN)/python web/build/browsers.py chromium)" \
	POSTGRES="$$($(BIN)/python -m tests.stores.postgres_server)" \
		$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-browsers: ENGINES ?= chromium,firefox,webkit
test-browsers: build ## the core tests in Chromium, Firefox and WebKit; ENGINES=firefox takes one
	@CHROMIUM="$$($(BIN)/python web/build/browsers.py chromium)" && \
	FIREFOX="$$($(BIN)/python web/build/browsers.py firefox)" && \
	WEBKIT="$$($(BIN)/python web/build/browsers.py webkit)" && \
	export CHROMIUM FIREFOX WEBKIT && \
	ENGINES="$(ENGINES)" $(BIN)/python -m pytest -v tests/browser/engines

soak: build ## the faults of the tests at full size: 300 kills, 8 tabs, 8 processes, 10,000 values
	@FAULTS=full CHROMIUM="$$($(BIN)/python web/build/browsers.py chromium)" \
		POSTGRES="$$($(BIN)/python -m tests.stores.postgres_server)" \
		$(BIN)/python -m pytest -v -s tests/faults tests/browser/faults \
		tests/stores/test_sqlite_processes.py tests/stores/test_sqlite_values.py \
		tests/stores/test_postgres_processes.py tests/stores/test_postgres_values.py tests/cli/test_copy.py \
		tests/sdk/test_faults.py tests/sdk/test_real_faults.py

lint: $(VENV) $(NODE) $(RIVET) ## what the code must look like
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy examples/*.py examples/browser/*.py
	$(BIN)/lint-imports
	npx --no-install tsc --noEmit
	npx --no-install tsc --noEmit --project web/service-worker
	cd examples/rivet && npx --no-install tsc --noEmit
	npx --no-install prettier --check --log-level warn .

format: $(VENV) $(NODE) ## put the code into that shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	npx --no-install prettier --write --log-level warn .

rivet: $(RIVET) ## the Rivet actor and a Rivet for this machine, in examples/rivet

bench: build $(RIVET) ## measure; see bench/
	@CHROMIUM="$$($(BIN)/python web/build/browsers.py chromium)" \
	POSTGRES="$$($(BIN)/python -m tests.stores.postgres_server)" $(BIN)/python -m bench

chromium: $(VENV) ## print the Chromium that the tests use, installing one if there is none
	@$(BIN)/python web/build/browsers.py chromium

install: $(VENV) $(NODE) $(RIVET) ## what the other targets need, and nothing else

clean: ## all that was built or installed
	rm -rf dist build node_modules examples/rivet/dist examples/rivet/node_modules .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Dependency groups need pip 25.1, which older Pythons do not bring.
$(VENV): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON to one.")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[inspector]' --group dev
	@touch $@

$(NODE): package-lock.json package.json
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# `npm ci` refuses a lock file without the packages of other platforms, which not every registry has.
$(RIVET): examples/rivet/package-lock.json examples/rivet/package.json $(wildcard examples/rivet/bare/*.js* examples/rivet/src/*.ts)
	@cd examples/rivet && npm install --no-save --no-audit --no-fund --loglevel=error && npx --no-install tsc
	@touch $@
