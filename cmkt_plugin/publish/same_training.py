"""Whether the runs of a card were trained alike but for what they compare."""

# What must be the same, as cmkt_plugin.experiment.IDENTITY has it. Objective
# and teacher are what is compared.
SAME = {
    "model": "the seed or the backbone",
    "data": "the data folder, its splits, its speakers or the mixing",
}


def check_same_training(run_folder, scores):
    """Refuses a baseline or a control of another model or other data.

    Arguments
    ---------
    run_folder : str or pathlib.Path
        The run to publish.
    scores : cmkt_plugin.publish.published_scores.PublishedScores
        Of it and the others; a run that has no fingerprint passes.

    Raises
    ------
    ValueError
        Naming the option, the entry, both folders and the way out.
    """
    ours = scores.run.experiment.get("fingerprint", {})
    for name, run in scores.others.items():
        theirs = run.experiment.get("fingerprint", {})
        folder = scores.folders[name]
        option = f"--control {name}={folder}"
        if run is scores.baseline:
            option = f"--baseline {folder}"
        for entry, meaning in SAME.items():
            found, expected = theirs.get(entry), ours.get(entry)
            if None not in (found, expected) and found != expected:
                raise ValueError(
                    f"{option}: the fingerprint of its {entry} is {found} in "
                    f"{folder}/experiment.json, expected {expected} as in "
                    f"{run_folder}/experiment.json: {meaning} differs, so "
                    "that a difference of scores may come from there. Name a "
                    f"run with the {entry} of {run_folder}, train one, or "
                    "leave the option out"
                )


def other_epochs(scores):
    """Says which runs were trained for another number of epochs.

    Arguments
    ---------
    scores : cmkt_plugin.publish.published_scores.PublishedScores

    Returns
    -------
    list of str
        One sentence for each of them.
    """
    ours = scores.run.summary["epochs"]
    return [
        f"**This model was trained for {ours} epochs, {name} for "
        f"{run.summary['epochs']}: the difference to {name} may come from "
        "that.**"
        for name, run in scores.others.items()
        if run.summary["epochs"] != ours
    ]
