"""Trains the network of the phone recogniser."""

import torch
from speechbrain.augment.freq_domain import SpectrogramDrop
from speechbrain.augment.time_domain import SpeedPerturb
from speechbrain.nnet.losses import ctc_loss
from speechbrain.utils.distributed import infer_device
from speechbrain.utils.epoch_loop import EpochCounter

from cmkt_plugin.best_epoch_brain import BestEpochBrain, warm_up
from cmkt_plugin.dataset import training_batches
from cmkt_plugin.phone_recognition.held_out import error_rate
from cmkt_plugin.phone_recognition.labelled_speech import encoded
from cmkt_plugin.phone_recognition.network import SAMPLE_RATE, PhoneNet

BUCKETS = 10  # groups of similar lengths
MAX_GRADIENT = 5.0  # norm
WARM_UP = 0.15  # part of the updates
SPEEDS = (85, 92, 100, 108, 115)  # %
# Frames and bands that are dropped, as in SpecAugment (arXiv 1904.08779).
DROPPED_FRAMES = (5, 15)
DROPPED_BANDS = (2, 8)


class PhoneBrain(BestEpochBrain):
    """Minimises the CTC loss and keeps the weights of the best epoch.

    ``modules`` holds the ``network``; ``hparams`` also needs ``speed`` and
    ``augment``, which change waveforms and bands, and ``valid``, from
    ``read_labelled``. Batches hold ``speech`` and ``labels``.
    """

    trained, figure, better = "network", "valid_phone_error_rate", min

    def compute_forward(self, batch, stage):
        """Log posteriors (batch, frames, labels)."""
        batch = batch.to(self.device)
        waves, lengths = batch.speech
        # Faster speech is higher too, in its formants: other voices.
        waves = self.hparams.speed(waves)
        return self.modules.network(waves, lengths, self.hparams.augment)

    def compute_objectives(self, predictions, batch, stage):
        """The CTC loss."""
        labels, label_lengths = batch.labels
        _, lengths = batch.speech
        return ctc_loss(
            predictions, labels, lengths, label_lengths, blank_index=0
        )

    def validate(self):
        """Phone error rate on the validation set."""
        found = error_rate(self.modules.network.recognize, self.hparams.valid)
        return found["phone_error_rate"]


def train_network(
    train, valid, network, epochs, batch_seconds, lr, seed, device=None
):
    """Trains from scratch; the validation set chooses the epoch.

    Arguments
    ---------
    train, valid : speechbrain.dataio.dataset.DynamicItemDataset
        From ``labelled_speech.read_labelled``.
    network : dict
        Arguments of ``PhoneNet``, without ``phones``: those of ``train``.
    epochs : int
        Passes over the training set.
    batch_seconds : float
        Speech in a batch, padding included.
    lr : float
        Peak learning rate, after a part of the updates; then falls to 0.
    seed : int
        Decides initial weights, order, dropout and what is dropped.
    device : str or None
        None takes an accelerator where there is one.

    Returns
    -------
    network : PhoneNet
        On the CPU, in evaluation mode.
    epochs : list of dict
        Training loss and validation error rate of each epoch.
    """
    phones = {p for entry in train.data.values() for p in entry["phones"]}
    # The caller's random numbers go on as if nothing had been trained.
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = PhoneNet(sorted(phones), **network)
        batches = training_batches(train, batch_seconds, BUCKETS, seed)
        brain = _brain(model, valid, epochs * len(batches), lr, device)
        # SpeechBrain moves the sampler to the epoch only if it made it itself.
        brain.train_sampler = batches
        brain.fit(
            EpochCounter(epochs),
            encoded(train, model.labels),
            train_loader_kwargs={"batch_sampler": batches},
        )
    model.load_state_dict(brain.best)
    return model.cpu().eval(), brain.epochs


def _brain(model, valid, updates, lr, device):
    device = device or infer_device()
    drop = {"drop_count_low": 1, "drop_count_high": 2}
    augment = torch.nn.Sequential(
        SpectrogramDrop(*DROPPED_FRAMES, dim=1, **drop),
        SpectrogramDrop(*DROPPED_BANDS, dim=2, **drop),
    )
    return PhoneBrain(
        {"network": model},
        lambda parameters: torch.optim.AdamW(parameters, lr=lr),
        {
            "schedule": warm_up(WARM_UP, updates),
            "speed": SpeedPerturb(SAMPLE_RATE, SPEEDS, device),
            "augment": augment,
            "valid": valid,
        },
        {"device": device, "max_grad_norm": MAX_GRADIENT},
    )
