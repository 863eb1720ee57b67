#!/usr/bin/env python3
"""Train a speech enhancer on AISHELL-1 and noise, taught by a language model.

> python train.py hparams/cmkt.yaml --data_folder D --noise_folder N
> python train.py hparams/baseline.yaml --data_folder D --noise_folder N
"""

from aishell_prepare import prepare_aishell

from cmkt_plugin.recipe import run_recipe

if __name__ == "__main__":
    run_recipe(prepare_aishell)
