"""``cmkt units``: discrete units of clean speech, for training without text."""

from pathlib import Path

import click

from cmkt_plugin.verbs import refuse_beside, root_folders

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("annotation", type=FILE)
@click.option("--data-root", required=True, help="{data_root} in it.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="A text file: header, then id<TAB>units.",
)
@click.option(
    "--kmeans",
    type=FILE,
    help="Clusters of the training set, found before; else they are learned "
    "and written beside OUTPUT, as .safetensors.",
)
@click.option(
    "--clusters", type=click.IntRange(min=2), default=100, show_default=True
)
@click.option(
    "--frame-rate",
    type=float,
    help="Of the MFCC, per second.  [default: 50]",
)
@click.option("--ssl", help="Take a model instead: folder, or name on the hub.")
@click.option("--layer", default=-1, show_default=True, help="Of the model.")
@click.option(
    "--collapse/--keep-runs",
    default=True,
    show_default=True,
    help="Whether a run of one unit becomes one.",
)
@click.option("--seed", default=0, show_default=True)
@click.pass_context
def command(
    ctx,
    annotation,
    data_root,
    output,
    kmeans,
    clusters,
    frame_rate,
    ssl,
    layer,
    collapse,
    seed,
):
    """Write discrete units of the clean speech of ANNOTATION's utterances.

    First for the training set; then for the others, with its --kmeans.
    """
    from cmkt_plugin.discrete_units import CleanFeatures, find_units
    from cmkt_plugin.provenance import record
    from cmkt_plugin.transcript_file import write_transcripts

    if output.exists():
        raise FileExistsError(f"{output} exists: delete it or name another.")
    if kmeans is not None:
        refuse_beside(ctx, "kmeans", "clusters", "seed")
    made = record()
    features = _features(frame_rate, ssl, layer)
    recordings = CleanFeatures(annotation, root_folders(data_root), features)
    if kmeans is None:
        found = _learn(recordings, clusters, seed, features.settings, output)
    else:
        found = _load(kmeans, features.settings)
    units = find_units(recordings, found, collapse)
    header = {"units": "k-means", **found.settings, "collapsed": collapse}
    for key in ("command", "commit", "date"):
        header[key] = made[key]
    write_transcripts(output, units, header)
    click.echo(output)


def _features(frame_rate, ssl, layer):
    from cmkt_plugin.speech_features import MfccFeatures, SslFeatures

    if ssl is None:
        return MfccFeatures(50.0 if frame_rate is None else frame_rate)
    if frame_rate is not None:
        raise ValueError(
            "--frame-rate is for MFCC: a model (--ssl) has a rate of its own. "
            "Leave one of the two out."
        )
    return SslFeatures(ssl, layer)


def _learn(recordings, clusters, seed, settings, output):
    from cmkt_plugin.discrete_units import learn_clusters

    found = learn_clusters(recordings, clusters, seed, settings)
    found.save(output.with_suffix(".safetensors"))
    return found


def _load(path, settings):
    from cmkt_plugin.unit_clusters import UnitClusters

    found = UnitClusters.load(path)
    differing = {
        key: (found.settings.get(key), value)
        for key, value in settings.items()
        if found.settings.get(key) != value
    }
    if differing:
        told = "; ".join(
            f"{key} {was!r}, now {now!r}"
            for key, (was, now) in differing.items()
        )
        raise ValueError(
            f"{path} was found with other features: {told}. Repeat the options "
            "that the training set's units were made with."
        )
    return found
