"""The front matter of a model card: what the hub searches and compares."""

import re

from cmkt_plugin.comparison_table import TITLES
from cmkt_plugin.publish.published_scores import METRICS
from cmkt_plugin.run_scores import noisy_means

TASK = "audio-to-audio"
TAGS = ["speech-enhancement", "PyTorch", "speechbrain", "CMKT"]
LANGUAGE = re.compile(r"[a-z]{2,3}")
LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]*")


def check_terms(licence, language=None):
    """Refuses what the hub would refuse, before any work is done.

    Arguments
    ---------
    licence : str
        Of the model, as the hub writes it.
    language : str or None
        ISO 639 code.

    Raises
    ------
    ValueError
        Naming the option, what was expected and found.

    Example
    -------
    >>> check_terms("cc-by-4.0", "de")
    >>> check_terms("mit", "German")
    Traceback (most recent call last):
    ValueError: --language is 'German', expected an ISO 639 code such as en
    """
    if not LICENCE.fullmatch(licence):
        raise ValueError(
            f"--licence is {licence!r}, expected an identifier of the hub such "
            "as apache-2.0, mit or cc-by-4.0, or other"
        )
    if language is not None and not LANGUAGE.fullmatch(language):
        raise ValueError(
            f"--language is {language!r}, expected an ISO 639 code such as en"
        )


def metadata(publication, language, scores):
    """The front matter: what the hub searches, shows and compares.

    Arguments
    ---------
    publication : cmkt_plugin.publish.model_card.Publication
    language : str
        ISO code.
    scores : cmkt_plugin.publish.published_scores.PublishedScores

    Returns
    -------
    huggingface_hub.ModelCardData
    """
    from huggingface_hub import EvalResult, ModelCardData

    name = publication.data or "the run's own test set"
    identifier = re.sub(r"[^\w./-]+", "-", name).strip("-").lower()
    means = scores.run.means()
    results = [
        EvalResult(
            task_type=TASK,
            task_name="Speech enhancement",
            dataset_type=identifier,
            dataset_name=f"{name} ({scores.files} test files)",
            dataset_split="test",
            dataset_args={"files": scores.files},
            metric_type=metric.replace("_", "-"),
            metric_name=TITLES[metric],
            metric_value=round(means[metric], 4),
            # Not results of their own: they are not this model's.
            metric_args={"compared_with": _others(scores, metric)},
        )
        for metric in METRICS
        if means.get(metric) is not None
    ]
    return ModelCardData(
        language=language,
        license=publication.licence,
        library_name="speechbrain",
        pipeline_tag=TASK,
        tags=TAGS,
        datasets=[identifier] if publication.data else None,
        metrics=[result.metric_type for result in results],
        model_name=publication.repo.partition("/")[2],
        eval_results=results,
    )


def _others(scores, metric):
    """The mean of the noisy input, of the baseline and of the controls."""
    means = {"noisy input": noisy_means(scores.run)}
    means.update({name: run.means() for name, run in scores.others.items()})
    return {
        name: round(found[metric], 4)
        for name, found in means.items()
        if found.get(metric) is not None
    }
