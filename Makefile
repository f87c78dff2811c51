# make demo   the main job on the embedded data, in its own small environment
# make test   checks (ruff, mypy), then every test
# make fast   the checks and the quick tests, for daily work
PYTHON ?= python3
TORCH_ARGS ?=
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo setup warm test check fast quality pages tune-bench bench growth reports lock clean

demo: .venv/.core
	$(BIN)/matinee demo

setup: .venv/.dev

# The stamps: an environment is made anew when its lock changes. `.dev` holds all that `.core` does.
.venv/.core: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install -q --no-deps -e .
	touch $@

.venv/.dev: requirements-dev.lock torch.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/pip install -q -r torch.txt $(TORCH_ARGS)
	$(BIN)/pip install -q --no-deps -e .
	$(BIN)/pip check
	touch $@ .venv/.core

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy

warm: .venv/.dev
	$(BIN)/python -m tests.warm

test: check warm
	$(BIN)/pytest -n 2 --durations 5

fast: check warm
	$(BIN)/pytest -n 2 -m "not slow"

# MODEL=ease PROTOCOL=next_item measure one; ARGS=--again measures what has not changed too.
ONE = $(if $(MODEL),--model $(MODEL)) $(if $(PROTOCOL),--protocol $(PROTOCOL))
quality: .venv/.dev
	$(BIN)/python -m benchmarks.quality.run $(ONE) $(ARGS)

# What is made of the code and of the figures: both READMEs' tables, docs/middle-or-next.md, docs/models, docs/reference.
pages: .venv/.dev
	$(BIN)/python -m scripts.readme_table
	$(BIN)/python -m scripts.middle_or_next
	$(BIN)/python -m scripts.model_pages

reports: .venv/.dev
	$(BIN)/python -m scripts.reports $(REPORT)

tune-bench: .venv/.dev
	$(BIN)/python -m benchmarks.quality.tune $(ONE) $(ARGS)

bench: .venv/.dev
	$(BIN)/python -m benchmarks.speed.run $(ARGS)

growth: .venv/.dev
	$(BIN)/python -m benchmarks.growth.run $(ARGS)

# On a machine where pip finds a CPU build of torch; see docs/guides/dependencies.md.
LOCK := $(BIN)/pip-compile -q -c torch.txt --generate-hashes --no-emit-find-links --no-emit-index-url --unsafe-package torch --strip-extras
lock: setup
	$(LOCK) --extra report -o requirements.lock pyproject.toml
	$(LOCK) --extra report --extra rank --extra torch --extra track --extra track-ui --extra hpo --extra dev -o requirements-dev.lock pyproject.toml
	sed -i '/^# WARNING/,$$d' requirements.lock requirements-dev.lock

clean:
	rm -rf .venv runs
