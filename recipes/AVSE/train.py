#!/usr/bin/env python3
"""Train a speech enhancer on noisy speech and lips, taught by a language model.

> python train.py hparams/audio_visual.yaml --video_folder V --data_folder D \
    --noise_folder N
> python train.py hparams/cmkt.yaml --video_folder V --data_folder D \
    --noise_folder N
"""

from avse_prepare import prepare_avse

from cmkt_plugin.recipe import run_recipe

if __name__ == "__main__":
    run_recipe(prepare_avse)
