"""The model card: metadata that the hub reads, and a text for people."""

import re
from typing import NamedTuple

from cmkt_plugin import __version__
from cmkt_plugin.loading.run_config import HYPERPARAMS
from cmkt_plugin.loading.yaml_nodes import children, compose
from cmkt_plugin.publish import published_scores, training_facts
from cmkt_plugin.publish.card_metadata import metadata
from cmkt_plugin.publish.card_template import TEMPLATE
from cmkt_plugin.publish.findings import findings
from cmkt_plugin.publish.published_command import published_command
from cmkt_plugin.publish.same_training import other_epochs

UNKNOWN = "not stated by the publisher"
IDEOGRAPHS = re.compile(r"[\u4e00-\u9fff]")


class Publication(NamedTuple):
    """What the publisher says; all else is read from the run.

    Arguments
    ---------
    repo : str
        ``user/name`` on the hub.
    data : str or None
        Name of the corpus, or its name on the hub.
    data_url : str or None
        Where it is to be had.
    data_licence : str or None
        Under which licence.
    licence : str
        Of the model, as the hub writes it.
    language : str or None
        ISO code of the speech; None tells Chinese from English by the
        script of the transcripts.
    """

    repo: str
    data: str | None = None
    data_url: str | None = None
    data_licence: str | None = None
    licence: str = "apache-2.0"
    language: str | None = None


def model_card(publication, run_folder, hub_folder, scores, example=None):
    """Writes the card of a run.

    Arguments
    ---------
    publication : Publication
    run_folder : str or pathlib.Path
        Output folder of ``train.py``.
    hub_folder : pathlib.Path
        What ``export`` made of it.
    scores : cmkt_plugin.publish.published_scores.PublishedScores
    example : str, optional
        What there is to say of the example pair; None if there is none.

    Returns
    -------
    huggingface_hub.ModelCard
        Its metadata are validated by the class.
    """
    from huggingface_hub import ModelCard

    facts = training_facts.data_facts(run_folder)
    language = publication.language or script_language(facts)
    run, repo = scores.run, publication.repo
    transfer = training_facts.transfer_settings(run_folder)
    return ModelCard.from_template(
        metadata(publication, language, scores),
        template_str=TEMPLATE,
        name=repo.partition("/")[2],
        repo=repo,
        files=f"https://huggingface.co/{repo}/resolve/main",
        summary=_summary(scores, hub_folder),
        scores=_scores(publication, scores),
        version=__version__,
        usage=_usage(hub_folder, repo),
        example=example,
        data=_data(publication, facts),
        training=_table(
            [["setting", "value"]],
            training_facts.training_settings(
                run_folder, run.summary, run.experiment
            ),
        ),
        transfer=transfer and _table([["part", "setting"]], transfer),
        recipe=training_facts.recipe(run_folder),
        command="\n".join(
            published_command(begun["command"])
            for begun in [
                run.experiment,
                *run.experiment.get("resumed", []),
            ]
        ),
        versions=_versions(run.experiment),
        limits=_limits(language, hub_folder, scores, facts),
    )


def script_language(facts):
    """Tells Chinese from English by the script of the test transcripts.

    Example
    -------
    >>> script_language({"test": {"words": "你好"}}), script_language({})
    ('zh', 'en')
    """
    words = " ".join(split["words"] for split in facts.values())
    return "zh" if IDEOGRAPHS.search(words) else "en"


def _usage(hub_folder, repo):
    """The export's own instructions, with its name on the hub."""
    readme = (hub_folder / "README.md").read_text(encoding="utf-8")
    instructions = "\n## " + readme.partition("\n## ")[2]
    return instructions.replace("\n## ", "\n### ").replace("FOLDER", repo)


def _sample_rate(hub_folder):
    return int(children(compose(hub_folder / HYPERPARAMS))["sample_rate"].value)


def _summary(scores, hub_folder):
    baseline = (
        "No language model taught this run; its first stage is that of "
        "another run, which one may have taught."
        if scores.given.first_stage
        else "A baseline: it was trained without a language model."
    )
    taught = (
        "While it was trained, a text language model taught it: its acoustic "
        "latent had to predict the language model's embeddings of "
        f"{scores.given.words} (cross-modality knowledge transfer, CMKT, "
        "[arXiv 2503.07078](https://arxiv.org/abs/2503.07078)). The model "
        "that is here has no text input and no parameter of a language model."
        if scores.given.controls
        else baseline
    )
    return (
        "Takes the noise out of a recording of one speaker. "
        f"{scores.run.summary['parameters']:,} parameters, "
        f"{_sample_rate(hub_folder)} Hz, one channel.\n\n{taught}"
    )


def _scores(publication, scores):
    test = publication.data or "the run's own data"
    parts = [
        "## Results",
        f"Means over the {scores.files} files of the test set of {test}, "
        "PESQ wide band (package pesq), STOI and ESTOI (pystoi); one seed.",
        _table(published_scores.score_rows(scores)),
    ]
    if scores.folders:
        parts.append(
            "\n".join(
                f"- {name}: {training_facts.in_short(folder)}"
                for name, folder in scores.folders.items()
            )
        )
    rows = published_scores.difference_rows(scores)
    if rows:
        parts += ["Differences; * where zero lies outside the interval.",
                  _table(rows), *other_epochs(scores)]  # fmt: skip
    left_out = scores.run.left_out
    if left_out:
        parts.append(
            f"{len(left_out)} files miss a score: "
            f"{', '.join(sorted(left_out)[:10])}."
        )
    parts += findings(scores)
    return "\n\n".join(parts)


def _data(publication, facts):
    name = publication.data or UNKNOWN
    if publication.data_url:
        name = f"[{name}]({publication.data_url})"
    lines = [
        f"Trained and tested on: {name}. Licence of the data: "
        f"{publication.data_licence or UNKNOWN}. Licence of this model: "
        f"{publication.licence}."
    ]
    rows = [["set", "utterances", "hours", "speakers"]]
    for split, found in facts.items():
        rows.append([
            split, f"{found['utterances']:,}", f"{found['hours']:.2f}",
            str(found["speakers"]),
        ])  # fmt: skip
    return "\n\n".join([*lines, _table(rows)] if facts else lines)


def _versions(experiment):
    return (
        f"cmkt_plugin {experiment['version']} (commit "
        f"{experiment.get('commit', 'not recorded')}), torch "
        f"{experiment['torch']}, speechbrain {experiment['speechbrain']}, "
        f"Python {experiment['python']}, {experiment['date']}; exported with "
        f"cmkt_plugin {__version__}."
    )


def _limits(language, hub_folder, scores, facts):
    rate = _sample_rate(hub_folder)
    lines = [
        f"Language of the speech: {language}; others were not tested.",
        f"{rate} Hz: what lies above {rate / 2000:g} kHz is not enhanced. "
        "One channel: others are enhanced one by one.",
        "One seed: how much another one would change is not known.",
        f"Tested on {scores.files} recordings of "
        f"{len(set(scores.run.speakers.values()))} speakers; noises, rooms "
        "and microphones unlike those of the data were not tested.",
        "The scores are instrumental: nobody has listened for them.",
    ]
    if "train" in facts:
        lines.append(f"Trained on {facts['train']['hours']:.1f} h of speech.")
    return "\n".join(f"- {line}" for line in lines)


def _table(rows, settings=None):
    """Markdown of rows, the first one the header; settings are rows too."""
    rows = [*rows, *([k, v] for k, v in (settings or {}).items())]
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped)
