#!/usr/bin/env python3
"""Train a speech enhancer on VoiceBank-DEMAND, taught by a language model.

> python train.py hparams/cmkt.yaml --data_folder /path/to/voicebank
> python train.py hparams/baseline.yaml --data_folder /path/to/voicebank
"""

import sys

import speechbrain as sb
from hyperpyyaml import load_hyperpyyaml
from speechbrain.utils.distributed import ddp_init_group, run_on_main
from voicebank_prepare import prepare_voicebank

from cmkt_plugin.experiment import (
    leave_process_group,
    start_experiment,
    train_and_test,
)

if __name__ == "__main__":
    hparams_file, run_opts, overrides = sb.parse_arguments(sys.argv[1:])
    ddp_init_group(run_opts)
    with open(hparams_file, encoding="utf-8") as file:
        hparams = load_hyperpyyaml(file, overrides)

    start_experiment(hparams_file, overrides, hparams["output_folder"])
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=hparams_file,
        overrides=overrides,
    )
    run_on_main(
        prepare_voicebank,
        kwargs={
            "data_folder": hparams["data_folder"],
            "save_folder": hparams["save_folder"],
            "valid_speakers": hparams["valid_speakers"],
            "speakers": hparams["speakers"],
            "skip_prep": hparams["skip_prep"],
            "skip_bad": hparams["skip_bad"],
            "sample_rate": hparams["sample_rate"],
        },
    )
    train_and_test(hparams, run_opts)
    leave_process_group()
