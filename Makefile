# Everything sets itself up in .venv from requirements.lock: uv when present, pip otherwise.
PYTHON ?= python3
BIN := $(if $(filter Windows_NT,$(OS)),.venv/Scripts,.venv/bin)
UV := $(shell command -v uv 2>/dev/null)
READY := .venv/.ready

# The program and the tests are compiled once, not at every start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check static format test-slow bench screenshots snapshots lock clean

run: $(READY)
	@$(BIN)/kai-tui $(ARGS)

# More workers than cores: tests of the whole program wait more than they compute.
test: $(READY)
	$(BIN)/python -m pytest -n 5 --dist worksteal

# Also what is fast with few examples, with many.
test-slow: export KAI_TUI_EXAMPLES ?= 400
test-slow: $(READY)
	$(BIN)/python -m pytest -m "slow or hypothesis" -n 2 --dist worksteal

check: static test

static: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-cache

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python -m benchmarks

screenshots: $(READY)
	$(BIN)/python -m screenshots

# The pictures that tests compare with; look at what changed before committing.
snapshots: $(READY)
	KAI_TUI_RENEW_SNAPSHOTS=1 $(BIN)/python -m pytest -m "" -k snapshot

# Only where uv is: resolves for every platform at once; names no package host.
lock:
	uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --group dev pyproject.toml -o requirements.lock

$(READY): requirements.lock pyproject.toml
ifneq ($(UV),)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@touch $(READY)

clean:
	rm -rf .venv dist build
