"""A trained cross-modality transformer, taken out of its run to be looked at.

The only part of the package that is needed in training and read afterwards:
the exported student has none of it.
"""

import json
from dataclasses import dataclass
from tempfile import TemporaryDirectory

import torch
import yaml
from hyperpyyaml import load_hyperpyyaml
from speechbrain.dataio.dataset import DynamicItemDataset

from cmkt_plugin.embedding_cache import EmbeddingCache
from cmkt_plugin.loading.run_checkpoint import best_checkpoint, load_checkpoint
from cmkt_plugin.loading.run_config import best_metric
from cmkt_plugin.loading.yaml_nodes import children, compose
from cmkt_plugin.mixing.entries import fill
from cmkt_plugin.transcripts import UNITS

ROOTS = dict.fromkeys(("data_root", "noise_root", "rir_root"), "")


@dataclass
class Listener:
    """A run's student and one of its aligners.

    Arguments
    ---------
    name : str
        Of the teacher in an ensemble; empty if there is one only.
    enhancer : torch.nn.Module
        The student.
    transfer : cmkt_plugin.transfer.Transfer
        With teacher, tap and aligner; its weights are those of the checkpoint
        that the test uses.
    """

    name: str
    enhancer: torch.nn.Module
    transfer: object

    @torch.no_grad()
    def latent(self, noisy):
        """What the aligner hears.

        Arguments
        ---------
        noisy : numpy.ndarray
            Waveform (time,).

        Returns
        -------
        torch.Tensor
            (1, frames, width).
        """
        with self.transfer.tap as tap:
            self.enhancer(torch.as_tensor(noisy)[None], torch.ones(1))
        return tap.latent

    @torch.no_grad()
    def coupling(self, latent, tokens):
        """How much each token looks at each frame.

        Arguments
        ---------
        latent : torch.Tensor
            (1, frames, width).
        tokens : torch.Tensor
            The teacher's embeddings (tokens, width).

        Returns
        -------
        numpy.ndarray
            (tokens, frames), rows sum to 1.
        """
        counts = torch.tensor([latent.shape[1]]), torch.tensor([len(tokens)])
        found = self.transfer.aligner(
            latent, counts[0], tokens[None], counts[1]
        )
        return found.coupling[0].numpy()


def open_listeners(run):
    """Builds what a run trained with: the student and its aligners.

    The run's own YAML is acted upon, so that any class can be in it: only for
    runs of one's own. Only the student and the transfer are built, not the
    rest, which makes folders and seeds generators.

    Arguments
    ---------
    run : Run
        With ``hyperparams.yaml`` and a checkpoint.

    Returns
    -------
    list of Listener
        Empty for a run without transfer.

    Raises
    ------
    FileNotFoundError
        If the language model or the checkpoint is not there.
    """
    path = run.folder / "hyperparams.yaml"
    top = children(compose(path))
    if not children(top.get("transfer")):
        return []
    nodes = {
        "enhancer": children(top["backbone"])["enhancer"],
        "transfer": top["transfer"],
    }
    pairs = [
        (yaml.ScalarNode("tag:yaml.org,2002:str", key), node)
        for key, node in nodes.items()
    ]
    # Serialised together: the tapped module stays the student by its anchor.
    root = yaml.MappingNode("tag:yaml.org,2002:map", pairs)
    with torch.random.fork_rng(devices=[]):
        built = load_hyperpyyaml(yaml.serialize(root))
    checkpoint = best_checkpoint(run.folder / "save", best_metric(path))
    built["enhancer"].load_state_dict(load_checkpoint(checkpoint))
    listeners = []
    for prefix, transfer in built["transfer"].members.items():
        weights = checkpoint.with_name(f"{prefix}aligner.ckpt")
        if not weights.is_file():
            raise FileNotFoundError(f"the checkpoint has no {weights.name}")
        transfer.aligner.load_state_dict(load_checkpoint(weights))
        transfer.aligner.eval()
        enhancer = built["enhancer"].eval()
        listeners.append(Listener(prefix.rstrip("_"), enhancer, transfer))
    return listeners


def read_tokens(listener, run, words):
    """What the teacher makes of transcripts.

    Arguments
    ---------
    listener : Listener
        Its teacher is loaded for this and unloaded again.
    run : Run
        Its training transcripts are read where the query sees tokens: only
        then do their values matter, and the scale that they were brought to.
    words : dict
        Utterance to the corpus' transcript.

    Returns
    -------
    dict
        Utterance to (embeddings (tokens, width), list of str).

    Raises
    ------
    ValueError
        If the run was taught by something else than text.
    """
    transfer = listener.transfer
    if transfer.transcripts.source == UNITS:
        raise ValueError(
            "the run was taught by discrete units, which the test set lacks"
        )
    texts = {
        name: transfer.transcripts.normalization(text)
        for name, text in words.items()
    }
    if transfer.aligner.query.sees_tokens:
        return _standardised(transfer, run, texts)
    embedded = transfer.teacher.embed(list(texts.values()))
    transfer.teacher.unload()
    return {
        name: (item.embeddings, item.tokens)
        for name, item in zip(texts, embedded)
    }


def _standardised(transfer, run, texts):
    """Tokens as in training; in a cache of one's own, which goes again."""
    with open(run.folder / "save" / "train.json", encoding="utf-8") as file:
        train = fill(json.load(file), ROOTS)
    shown = {name: {"words": text} for name, text in texts.items()}
    with TemporaryDirectory() as folder:
        transfer.cache = EmbeddingCache(folder, transfer.teacher.settings)
        transfer.prepare(
            {
                "train": DynamicItemDataset(train),
                "valid": DynamicItemDataset(shown),
            }
        )
        return {
            name: (
                transfer.read(name, text)["tokens"],
                transfer.cache.read(text).tokens,
            )
            for name, text in texts.items()
        }
