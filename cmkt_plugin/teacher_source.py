"""Where a teacher comes from: a folder, or a model of the hub made one."""

from functools import cache
from pathlib import Path

from huggingface_hub import model_info, snapshot_download
from transformers import AutoConfig
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES,
)

from cmkt_plugin.file_hash import hash_files

DESCRIPTION = ["*.json", "*.txt", "*.model", "*.tiktoken"]
# The second form of each pair is fetched only where the first is missing.
WEIGHTS = ["*.safetensors", "*.bin"]
# Subfolders hold exports for other runtimes, "consolidated" a second copy.
NOT_NEEDED = ["*/*", "consolidated*"]
HUB_TIMEOUT = 10  # seconds


def find_folder(source, revision, save_path, with_weights=False):
    """Local folder of a model; what is on the hub is downloaded.

    Arguments
    ---------
    source : str
        Folder, or name of a model on the hub.
    revision : str or None
        Branch, tag or commit on the hub.
    save_path : str
        Where models from the hub are kept.
    with_weights : bool
        Whether the weights are needed too, or config and tokenizer only.

    Returns
    -------
    str
        For a model of the hub its last part is the commit.

    Raises
    ------
    FileNotFoundError
        If the hub does not give the model and `save_path` has no copy.
    """
    if Path(source).is_dir():
        return str(source)
    folder = _download(source, revision, save_path, DESCRIPTION)
    for pattern in WEIGHTS if with_weights else []:
        folder = _download(source, revision, save_path, [pattern])
        if any(Path(folder).glob(pattern)):
            break
    return folder


def _download(source, revision, save_path, patterns):
    wanted = {
        "cache_dir": save_path,
        "allow_patterns": patterns,
        "ignore_patterns": NOT_NEEDED,
    }
    try:
        # Asked once and with a time limit: without a network the loaders of
        # transformers retry every file for 25 s.
        commit = model_info(source, revision=revision, timeout=HUB_TIMEOUT).sha
        return snapshot_download(source, revision=commit, **wanted)
    except Exception as hub_error:  # the hub's client raises many kinds
        try:
            return snapshot_download(
                source, revision=revision, local_files_only=True, **wanted
            )
        except Exception:
            raise FileNotFoundError(
                f"The teacher {source!r} is not a folder, has no copy in "
                f"{save_path!r}, and the Hugging Face hub did not give it "
                f"({type(hub_error).__name__}: {hub_error}). On a machine with "
                f"access run `hf download {source} --local-dir DIR` (older "
                "versions: `huggingface-cli download`), copy DIR here and set "
                "`source: DIR`."
            ) from hub_error


def read_config(folder):
    """Config of an encoder, a causal model or one of which the encoder is used.

    Arguments
    ---------
    folder : str
        Folder of the model.

    Returns
    -------
    transformers.PretrainedConfig

    Raises
    ------
    FileNotFoundError
        If there is no config.json.
    ValueError
        If the model is of another kind.
    """
    if not Path(folder, "config.json").is_file():
        raise FileNotFoundError(
            f"The teacher folder {folder} has no config.json. Expected a model "
            "saved with save_pretrained or downloaded whole from the hub."
        )
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    usable = hasattr(config, "num_hidden_layers") and (
        not config.is_encoder_decoder
        or config.model_type in MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES
    )
    if not usable:
        raise ValueError(
            f"The teacher {folder} is a {config.model_type} model. Expected a "
            "text encoder (BERT class, T5's encoder) or a causal language "
            "model (GPT, LLaMA, Qwen class)."
        )
    return config


def weight_files(folder):
    """Files with the weights.

    Arguments
    ---------
    folder : str
        Folder of the model.

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    FileNotFoundError
        If there are none.
    """
    for pattern in WEIGHTS:
        found = sorted(Path(folder).glob(pattern))
        if found:
            return found
    raise FileNotFoundError(
        f"The teacher folder {folder} has no weights: expected "
        f"{' or '.join(WEIGHTS)}. Download the model whole "
        "(`hf download NAME --local-dir DIR`)."
    )


@cache
def content_hash(folder):
    """Identity of a model in a folder, wherever the folder lies.

    Arguments
    ---------
    folder : str
        Folder of the model.

    Returns
    -------
    str
        SHA-256 over names and contents of config, tokenizer and weights; read
        once per process.
    """
    described = [p for name in DESCRIPTION for p in Path(folder).glob(name)]
    return hash_files(sorted(described) + weight_files(folder))
