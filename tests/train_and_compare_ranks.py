"""Run by torchrun: train with two processes, compare the weights of both."""

import sys

import tiny_voicebank
import torch
from speechbrain.utils.distributed import ddp_init_group

from cmkt_plugin.experiment import (
    fit,
    leave_process_group,
    make_brain,
    make_datasets,
)


def main():
    """Train on this rank, then look at the other one."""
    arguments = [*sys.argv[1:], "--distributed_backend=gloo"]
    ddp_init_group({"distributed_backend": "gloo", "device": "cpu"})
    hparams, run_opts = tiny_voicebank.load("cmkt.yaml", arguments)
    datasets = make_datasets(hparams)
    brain = make_brain(hparams, run_opts)
    without_text = []
    transfer_terms = brain.transfer_terms

    def watch(batch, stage):
        without_text.append(int(batch.token_count.sum()) == 0)
        return transfer_terms(batch, stage)

    brain.transfer_terms = watch
    fit(brain, datasets, hparams)
    # At least one process met a batch without any transcript.
    met = torch.tensor([float(any(without_text))])
    torch.distributed.all_reduce(met)
    assert met > 0 and len(without_text) > 2, "no batch without transcript"
    for name, weight in brain.modules.named_parameters():
        both = [torch.empty_like(weight) for _ in range(2)]
        torch.distributed.all_gather(both, weight.detach())
        assert torch.equal(*both), f"{name} differs between the ranks"


if __name__ == "__main__":
    main()
    leave_process_group()
    print("ranks agree", flush=True)
