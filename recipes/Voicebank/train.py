#!/usr/bin/env python3
"""Train a speech enhancer on VoiceBank-DEMAND, taught by a language model.

> python train.py hparams/cmkt.yaml --data_folder /path/to/voicebank
> python train.py hparams/baseline.yaml --data_folder /path/to/voicebank
"""

from voicebank_prepare import prepare_voicebank

from cmkt_plugin.recipe import run_recipe

if __name__ == "__main__":
    run_recipe(prepare_voicebank)
