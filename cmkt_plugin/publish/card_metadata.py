"""The front matter of a model card: what the hub searches and compares."""

import re

from cmkt_plugin.comparison_table import TITLES
from cmkt_plugin.publish.published_scores import METRICS

TASK = "audio-to-audio"
TAGS = ["speech-enhancement", "PyTorch", "speechbrain", "CMKT"]


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
