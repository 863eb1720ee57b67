"""``cmkt publish``: put a trained model on the Hugging Face hub."""

from pathlib import Path

import click

from cmkt_plugin.verbs import progress

RUN = click.Path(exists=True, file_okay=False, path_type=Path)


def read_controls(ctx, parameter, values):
    """Controls by name, of NAME=RUN."""
    controls = {}
    for value in values:
        name, equals, folder = value.partition("=")
        if not (name and equals and Path(folder).is_dir()):
            raise click.BadParameter(
                f"{value}: expected NAME=RUN with the folder of a run, such "
                "as shuffled=results/shuffled/1"
            )
        if name in controls or name == "baseline":
            raise click.BadParameter(f"{name} stands for two runs")
        controls[name] = Path(folder)
    return controls


@click.command()
@click.argument("run", type=RUN)
@click.option("--repo", required=True, help="user/name on the hub.")
@click.option("--private", is_flag=True, help="For its owners only.")
@click.option("--revision", help="Tag of this version, such as v1.0.")
@click.option("--message", help="Of the commit.")
@click.option("--dry-run", is_flag=True, help="List the files, upload nothing.")
@click.option("--output", type=Path, help="The folder to make.  [RUN/hub]")
@click.option("--baseline", type=RUN, help="Run without transfer.")
@click.option(
    "--control",
    "controls",
    multiple=True,
    callback=read_controls,
    metavar="NAME=RUN",
    help="Run with wrong text; several may be given.",
)
@click.option("--data", help="Name of the corpus, for the card.")
@click.option("--data-url", help="Where it is to be had.")
@click.option("--data-licence", help="Its licence.")
@click.option("--licence", default="apache-2.0", show_default=True)
@click.option(
    "--language", help="ISO code of the speech.  [zh or en, by the script]"
)
@click.option(
    "--example",
    type=click.Path(exists=True, dir_okay=False),
    help="Noisy recording to show.  [the test file of median PESQ gain]",
)
@click.option(
    "--data-folder",
    type=click.Path(exists=True, file_okay=False),
    help="The corpus, if it has moved since the run was made.",
)
@click.option("--no-example", is_flag=True, help="Show no recording.")
def command(run, repo, private, revision, message, dry_run, output, **given):
    """Put the model of a finished RUN on the hub, with card and example.

    Makes the folder RUN/hub and uploads it in one commit, with the token of
    HF_TOKEN or of `hf auth login`. If the upload fails, the folder is
    complete; the same command tries again.
    """
    from cmkt_plugin.publish.card_metadata import check_terms
    from cmkt_plugin.publish.hub_folder import listing, make_hub_folder
    from cmkt_plugin.publish.hub_upload import check_names, upload
    from cmkt_plugin.publish.model_card import Publication
    from cmkt_plugin.publish.published_scores import read_scores

    check_names(repo, revision)
    check_terms(given["licence"], given["language"])
    example, without = given.pop("example"), given.pop("no_example")
    if example and without:
        raise ValueError("--example and --no-example exclude each other")
    data_folder = given.pop("data_folder")
    scores = read_scores(run, given.pop("baseline"), given.pop("controls"))
    publication = Publication(repo=repo, **given)
    if not (without or example or publication.data_licence):
        progress(
            "The example is a recording of the test set: does its licence "
            "allow that? Name it with --data-licence, or use --no-example."
        )
    folder = make_hub_folder(
        publication,
        run,
        output or run / "hub",
        scores,
        example,
        not without,
        data_folder,
    )
    progress("\n".join([str(folder), *listing(folder)]))
    if dry_run:
        progress(f"Dry run: nothing was uploaded to {repo}.")
        return
    progress(f"Uploading to {repo} ...")
    click.echo(upload(folder, repo, private, revision, message))
