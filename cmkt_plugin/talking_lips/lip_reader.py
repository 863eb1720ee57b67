"""A network that reads phones from lips, frame by frame, and its training."""

import torch
from speechbrain.nnet.losses import nll_loss
from speechbrain.utils.distributed import infer_device
from speechbrain.utils.epoch_loop import EpochCounter

from cmkt_plugin.best_epoch_brain import BestEpochBrain, warm_up
from cmkt_plugin.dataset import training_batches
from cmkt_plugin.talking_lips.visemes import VISEMES
from cmkt_plugin.visual.blstm import BLSTM
from cmkt_plugin.visual.lip_encoder import LipEncoder
from cmkt_plugin.visual.lips import Lips

BUCKETS = 10  # groups of similar lengths
MAX_GRADIENT = 5.0  # norm
WARM_UP = 0.1  # part of the updates


class LipReader(torch.nn.Module):
    """Lip encoder with a classifier of phones and one of visemes.

    Arguments
    ---------
    phones : int
        Number of phones, silence among them.
    width : int
        Of the encoder's output.
    channels : int
        Of its first convolution.

    Example
    -------
    >>> pixels = torch.zeros(1, 5, 96, 96, dtype=torch.uint8)
    >>> lips = Lips(pixels, torch.ones(1, 5, dtype=torch.uint8))
    >>> phone, viseme = LipReader(phones=40, width=8, channels=2)(lips)
    >>> phone.shape, viseme.shape
    (torch.Size([1, 5, 40]), torch.Size([1, 5, 14]))
    """

    def __init__(self, phones, width=128, channels=16):
        super().__init__()
        context = BLSTM(input_size=width, hidden_size=width // 2)
        self.encoder = LipEncoder(width, context, channels, shrink=2)
        self.dropout = torch.nn.Dropout(0.3)
        self.phone = torch.nn.Linear(width, phones)
        self.viseme = torch.nn.Linear(width, len(VISEMES))

    def forward(self, lips, counts=None):
        """Log posteriors of a batch of clips.

        Arguments
        ---------
        lips : Lips
            The mouths.
        counts : torch.Tensor, optional
            Number of frames of every clip (batch,); None: all.

        Returns
        -------
        tuple of torch.Tensor
            Of phones and of visemes (batch, frames, classes).
        """
        encoded = self.dropout(self.encoder(lips, counts))
        return tuple(
            head(encoded).log_softmax(-1) for head in (self.phone, self.viseme)
        )


class LipReaderBrain(BestEpochBrain):
    """Minimises the cross-entropy; keeps the weights of the best epoch.

    ``modules`` holds the ``reader``; ``hparams`` also needs ``score``, which
    scores the reader on the validation set.
    """

    trained, figure, better = "reader", "valid_phone_accuracy", max

    def compute_forward(self, batch, stage):
        """Log posteriors of phones and of visemes."""
        batch = batch.to(self.device)
        pixels, lengths = batch.lips
        counts = (lengths * pixels.shape[1]).round().long()
        return self.modules.reader(Lips(pixels, batch.present.data), counts)

    def compute_objectives(self, predictions, batch, stage):
        """The sum of the two cross-entropies."""
        pairs = zip(predictions, (batch.phone, batch.viseme))
        return sum(nll_loss(p, *labels) for p, labels in pairs)

    def validate(self):
        """Accuracy on the validation set."""
        return self.hparams.score(self.modules.reader)


def train_reader(train, phones, score, epochs, batch_seconds, lr, seed, sizes):
    """Trains from scratch; the validation set chooses the epoch.

    Arguments
    ---------
    train : speechbrain.dataio.dataset.DynamicItemDataset
        From ``lip_reading_data.read_sets``.
    phones : int
        Number of phones in it, silence among them.
    score : callable
        A reader to its accuracy on the validation set.
    epochs : int
        Passes over the training set.
    batch_seconds : float
        Video in a batch, padding included.
    lr : float
        Peak learning rate.
    seed : int
        Decides initial weights, order, crops and dropout.
    sizes : dict
        ``width`` and ``channels`` of the reader.

    Returns
    -------
    reader : LipReader
        In evaluation mode.
    epochs : list of dict
        Training loss and validation accuracy of each epoch.
    """
    # The caller's random numbers go on as if nothing had been trained.
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        reader = LipReader(phones, **sizes)
        batches = training_batches(train, batch_seconds, BUCKETS, seed)
        updates = epochs * len(batches)
        schedule = warm_up(WARM_UP, updates)
        brain = LipReaderBrain(
            {"reader": reader},
            lambda parameters: torch.optim.AdamW(parameters, lr=lr),
            {"schedule": schedule, "score": score},
            {"device": infer_device(), "max_grad_norm": MAX_GRADIENT},
        )
        # SpeechBrain moves the sampler to the epoch only if it made it itself.
        brain.train_sampler = batches
        brain.fit(
            EpochCounter(epochs),
            train,
            train_loader_kwargs={"batch_sampler": batches},
        )
    reader.load_state_dict(brain.best)
    return reader.eval(), brain.epochs
