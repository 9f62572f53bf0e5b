# Each target sets up .venv by itself: only python3 (3.11 to 3.13) and gcc are assumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

# Recorded data beside the project are used where they are.
ifneq ($(wildcard ../shared/data),)
export NEUROCODE_DATA ?= $(abspath ../shared/data)
endif

.PHONY: demo test test-all fuzz mutants lint types docs release-check clean

# The file .with-EXTRA says that an extra of pyproject.toml is installed: a demonstration needs less than the tests.
$(VENV)/.with-%: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	touch $@

demo: $(VENV)/.with-files
	$(BIN)/neurocode demo --output demo

test: $(VENV)/.with-test
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test-all: $(VENV)/.with-test
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "long or not long"

# Faults planted one at a time; an hour or so on two cores. A run that was stopped goes on where it was.
mutants: $(VENV)/.with-test $(VENV)/.with-mutants
	$(BIN)/python -m tests.mutation --workers $(WORKERS) $(MUTANTS)

# Damaged files by the thousand: each is read, or refused in one sentence. The same cases every time.
CASES ?= 2000
fuzz: $(VENV)/.with-test
	$(BIN)/python tests/fuzz/fuzz_files.py --cases $(CASES)

lint: $(VENV)/.with-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Types of the package, checked in an environment with all libraries that it may use. The first run downloads Node.js, on which pyright runs.
types: $(VENV)/.with-test
	$(BIN)/python -m pip install --quiet "pyright>=1.1.400"
	$(BIN)/pyright --pythonpath $(BIN)/python

# The site, warnings as errors; it opens from the file system. Examples that read recordings are left out where there are none.
docs: $(VENV)/.with-docs
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html
	@echo "Site: docs/_build/html/index.html"

# Source and wheel, built and tried outside the checkout on every Python at hand.
release-check:
	.ci/release-check

clean:
	rm -rf $(VENV) demo docs/_build docs/auto_gallery docs/reference/names docs/reference/*.rst
