# Everything runs in .venv, which `make setup` builds from uv.lock; it needs only Python >= 3.11 with venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
STUDY ?= .

export UV_PYTHON_DOWNLOADS = never
export PYTHONHASHSEED = 0

.PHONY: setup reports test notebooks lint bench processors lab clean

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
	$(BIN)/python -m pytest -n 2 --dist loadfile --nbval --nbval-current-env --nbval-cell-timeout=120 tests notebooks

notebooks: $(READY)
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False notebooks/*.ipynb

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

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
	$(BIN)/python benchmarks/coverage.py

processors: $(READY)
	$(BIN)/python benchmarks/processors.py

lab: $(READY)
	$(BIN)/journeylab lab --study $(STUDY)

clean:
	rm -rf .venv reports/*.html data/processed/*.duckdb data/processed/*.parquet data/processed/*.json
