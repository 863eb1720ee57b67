"""What a run was taught with: nothing, the right text, or a control."""

from typing import NamedTuple

from cmkt_plugin.exporting.exported import run_hyperparams
from cmkt_plugin.loading.yaml_nodes import children, compose

RIGHT = "cmkt_plugin.controls.CorpusTranscripts"
NULL = "tag:yaml.org,2002:null"
# Of cmkt_plugin.transcripts.Transcripts, in words; all others are of ASR.
SOURCES = {
    "corpus": "the transcript",
    "units": "discrete units, which are no text",
    "none": "no text at all",
}


class GivenText(NamedTuple):
    """The text of a run's transfer; of an ensemble, of every member.

    Arguments
    ---------
    controls : tuple of str
        Classes with their modules; none if there was no transfer.
    sources : tuple of str
        Where the text is from, one for each control.
    first_stage : bool
        Whether a part of the model is that of another run, which may have
        been taught.

    Example
    -------
    >>> GivenText((RIGHT,), ("corpus",)).right
    True
    >>> given = GivenText((RIGHT, "cmkt_plugin.controls.X"), ("corpus",) * 2)
    >>> given.right, given.wrong, given.names
    (False, False, 'CorpusTranscripts, X')
    """

    controls: tuple
    sources: tuple
    first_stage: bool = False

    @property
    def right(self):
        """Whether every teacher read the right text."""
        return set(self.controls) == {RIGHT} and "none" not in self.sources

    @property
    def wrong(self):
        """Whether no teacher did."""
        return bool(self.controls) and not {RIGHT, ""} & set(self.controls)

    @property
    def names(self):
        """The controls without their modules."""
        short = [name.rpartition(".")[2] for name in self.controls]
        return ", ".join(dict.fromkeys(name or "unknown" for name in short))

    @property
    def words(self):
        """What the language model read, in words."""
        if not set(self.controls) <= {RIGHT}:
            return f"what {self.names} gave in place of the transcript"
        said = [SOURCES.get(s, f"a transcript from {s}") for s in self.sources]
        return " and ".join(dict.fromkeys(said))


def given_text(run_folder):
    """Reads what a run was taught with; nothing in its YAML is built.

    Arguments
    ---------
    run_folder : str or pathlib.Path
        Output folder of ``train.py``.

    Returns
    -------
    GivenText

    Raises
    ------
    FileNotFoundError
        If the folder has no ``hyperparams.yaml``.
    ValueError
        If it is an export.
    """
    path = run_hyperparams(
        run_folder,
        "is an export: expected the run's own folder, the output folder of "
        "train.py, which has the scores",
    )
    run = children(compose(path))
    transfer, first_stage = run.get("transfer"), "predictive_run" in run
    if transfer is None or transfer.tag == NULL:
        return GivenText((), (), first_stage)
    parts = members_of(transfer).values()
    return GivenText(
        tuple(_control(part.get("control")) for part in parts),
        tuple(_source(part.get("transcripts")) for part in parts),
        first_stage,
    )


def members_of(transfer):
    """The parts of a transfer: one for each teacher.

    Arguments
    ---------
    transfer : yaml.Node
        ``transfer`` of a run.

    Returns
    -------
    dict
        Name to what `children` gives; of a single teacher the name is "".
    """
    members = children(children(transfer).get("members")) or {"": transfer}
    return {name: children(member) for name, member in members.items()}


def check_baseline(folder):
    """Refuses a baseline that was taught.

    Arguments
    ---------
    folder : str or pathlib.Path
        Of the run.

    Raises
    ------
    ValueError
        If it has a transfer.
    """
    given = given_text(folder)
    if given.controls:
        raise ValueError(
            f"--baseline {folder}: expected a run without transfer, found a "
            f"transfer with {given.names}. Name the run of baseline.yaml, or "
            "give this one as --control if it read wrong text"
        )


def check_control(name, folder):
    """Refuses a control that is none.

    Arguments
    ---------
    name : str
        What it is called.
    folder : str or pathlib.Path
        Of the run.

    Raises
    ------
    ValueError
        If it was not taught, or with the right text.
    """
    given = given_text(folder)
    if given.wrong:
        return
    found = f"a transfer with {given.names}"
    way_out = "leave it out"
    if not given.controls:
        found, way_out = "no transfer", "give this one as --baseline"
    raise ValueError(
        f"--control {name}={folder}: expected a run whose transfer has a "
        f"control such as ShuffledTranscripts, found {found}. Name another "
        f"run, or {way_out}"
    )


def _control(node):
    """The class of a control, with its module; empty if there is none."""
    return getattr(node, "tag", "").rpartition(":")[2] if node else ""


def _source(node):
    source = children(node).get("source")
    return "corpus" if source is None else source.value
