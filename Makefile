# Everything runs in .venv, which `make setup` builds from uv.lock; it needs only Python >= 3.11 with venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
STUDY ?= .

export UV_PYTHON_DOWNLOADS = never
export PYTHONHASHSEED = 0
# A run of all tests starts some thirty processes. Each imports pandas, seaborn, scikit-learn and more: 3 seconds of
# processor time where compiled modules are kept, 9 where an environment forbids that. They are kept within .venv.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX = $(CURDIR)/.venv/bytecode

# The two workers, and the kernels they start, have a core each: more threads would only wait for one another.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
PYTEST = $(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: setup reports test quick coverage lowest sample notebooks lint docs bench processors lab clean

setup: $(READY)

$(READY): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "journeylab needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/uv || { $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet 'uv>=0.9,<1'; }
	$(BIN)/uv sync --frozen --inexact --quiet --python $(BIN)/python
	@touch $@

reports: $(READY)
	$(BIN)/journeylab report --study $(STUDY)

test: $(READY)
	$(PYTEST) --nbval --nbval-current-env --nbval-cell-timeout=120 tests notebooks

quick: $(READY)
	$(PYTEST) -m "not slow" tests

coverage: $(READY)
	$(PYTEST) -m "not slow" --cov --cov-report=term tests

# The lowest versions that pyproject.toml allows, in an environment of their own. What these call is deprecated in the
# newest versions of what they need in turn.
OLD := -W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning
lowest:
	@test -x .venv-lowest/bin/uv || \
	  { $(PYTHON) -m venv .venv-lowest && .venv-lowest/bin/python -m pip install --quiet 'uv>=0.9,<1'; }
	.venv-lowest/bin/uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct -e . --group dev
	$(ONE_THREAD) .venv-lowest/bin/python -m pytest -n 2 --dist loadfile $(OLD) -m "not slow" tests

# The sample as it ships: its data, and a sprint of half a year before, saved by the command that studies use.
SAMPLE := .sample
sample: $(READY)
	rm -rf $(SAMPLE) sprints
	$(BIN)/journeylab simulate --customers 2000 --seed 7 --out $(SAMPLE)
	cp $(SAMPLE)/journey.yml $(SAMPLE)/study.yml .
	cp $(SAMPLE)/data/raw/* data/raw/
	sed 's/end: 2026-01-01/end: 2025-07-01/' study.yml > $(SAMPLE)/study.yml
	$(BIN)/journeylab sprint start summer-2025 --study $(SAMPLE)
	mv $(SAMPLE)/sprints .
	rm -rf $(SAMPLE)

notebooks: $(READY)
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False notebooks/*.ipynb

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(READY)
	$(BIN)/uv sync --frozen --inexact --quiet --group docs --python $(BIN)/python
	$(BIN)/python -m sphinx -q -W --keep-going docs docs/_build/html

bench: $(READY)
	-$(BIN)/uv sync --frozen --inexact --quiet --group bench --python $(BIN)/python
	$(BIN)/python benchmarks/spells.py
	$(BIN)/python benchmarks/survival.py
	$(BIN)/python benchmarks/funnel.py
	$(BIN)/python benchmarks/leavers.py
	$(BIN)/python benchmarks/dropoff.py
	$(BIN)/python benchmarks/personas.py
	$(BIN)/python benchmarks/feelings.py
	$(BIN)/python benchmarks/reports.py
	$(BIN)/python benchmarks/start.py
	$(BIN)/python benchmarks/interval_coverage.py

processors: $(READY)
	$(BIN)/python benchmarks/processors.py

lab: $(READY)
	$(BIN)/journeylab lab --study $(STUDY)

clean:
	rm -rf .venv .venv-lowest docs/_build docs/guide docs/reference reports/*.html data/processed/*.duckdb data/processed/*.parquet data/processed/*.json
