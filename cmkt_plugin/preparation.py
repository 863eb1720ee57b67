"""A folder of annotations: what made them, and whether to make them again."""

import json
from contextlib import contextmanager
from pathlib import Path

from speechbrain.utils.logger import get_logger

from cmkt_plugin.atomic import write_text
from cmkt_plugin.shown import first_few

logger = get_logger(__name__)
RECORD = "preparation.json"


class Preparation:
    """The annotations in a folder and the record of what made them.

    Arguments
    ---------
    save_folder : str or Path
        Where the annotations are.
    splits : iterable of str
        Their names: ``train`` is ``train.json``.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> preparation = Preparation(folder, ["train"])
    >>> with preparation.recorded(lambda: {"sample_rate": 16000}):
    ...     write_text(folder / "train.json", "{}")
    >>> preparation.is_done({"sample_rate": 16000})
    True
    >>> preparation.is_done({"sample_rate": 8000})
    False
    """

    def __init__(self, save_folder, splits):
        self.save_folder = Path(save_folder)
        self.files = [self.save_folder / f"{name}.json" for name in splits]
        self.record = self.save_folder / RECORD

    def require_annotations(self):
        """Refuses to skip what was never done."""
        for file in self.files:
            if not file.is_file():
                raise FileNotFoundError(
                    f"skip_prep is set and {self.save_folder} has no "
                    f"{file.name}: write --skip_prep False to prepare"
                )

    def is_done(self, record):
        """Tells whether the annotations are those that a record describes.

        Arguments
        ---------
        record : dict
            Settings, and what sums up the corpus's files.

        Returns
        -------
        bool
        """
        if not all(file.is_file() for file in (self.record, *self.files)):
            return False
        found = json.loads(self.record.read_text(encoding="utf-8"))
        if found != record:
            return False
        logger.info(
            f"{self.save_folder} is prepared with these settings already"
        )
        return True

    @contextmanager
    def recorded(self, make_record):
        """Writes the record after the annotations, made in the ``with``.

        Arguments
        ---------
        make_record : callable
            Gives the record; called at the end, because a preparation may
            add files to the corpus.
        """
        # First out, last in: a preparation that is killed counts as none.
        self.record.unlink(missing_ok=True)
        yield
        write_text(self.record, json.dumps(make_record(), indent=2))


def as_names(value):
    """Lists names given as a list, or as a str separated by commas.

    Example
    -------
    >>> as_names("p226, p287"), as_names(["p226"]), as_names(None)
    (['p226', 'p287'], ['p226'], [])
    """
    names = value.split(",") if isinstance(value, str) else value or ()
    return [str(name).strip() for name in names if str(name).strip()]


def refuse_non_bool(**options):
    """Refuses what SpeechBrain makes of a flag without a value: None.

    Example
    -------
    >>> refuse_non_bool(skip_bad=False)
    >>> refuse_non_bool(skip_bad=None)
    Traceback (most recent call last):
    ValueError: skip_bad is None, expected True or False: write --skip_bad True
    """
    for name, value in options.items():
        if not isinstance(value, bool):
            raise ValueError(
                f"{name} is {value!r}, expected True or False: write "
                f"--{name} True"
            )


def report_faults(faults, skip_bad, way_out, what="bad recordings"):
    """Refuses bad recordings, or logs that they are left out.

    Arguments
    ---------
    faults : list of str
        One line for each.
    skip_bad : bool
        If True, they are left out.
    way_out : str
        What to do about them, other than leaving them out.
    what : str
        What the lines name.

    Raises
    ------
    ValueError
        If there are faults and ``skip_bad`` is False.
    """
    if not faults:
        return
    listing = first_few(faults, separator="\n  ")
    if not skip_bad:
        raise ValueError(
            f"{len(faults)} {what}:\n  {listing}\n{way_out}, or write "
            "--skip_bad True to leave them out"
        )
    logger.warning(f"Left out {len(faults)} {what}:\n  {listing}")


def wrong_folder(data_folder, corpus, source, expected, flag="--data_folder"):
    """The error that tells which folders are expected and which are found.

    Arguments
    ---------
    data_folder : Path
        Where the corpus is not.
    corpus, source : str
        Its name, and where it is published.
    expected : str
        The folders and files expected.
    flag : str
        The flag that names the folder.

    Returns
    -------
    FileNotFoundError
        To be raised.
    """
    if not data_folder.is_dir():
        return FileNotFoundError(
            f"The data folder {data_folder} does not exist: name the folder "
            f"with {corpus} ({source}) by {flag}"
        )
    found = sorted(path.name for path in data_folder.iterdir())
    return FileNotFoundError(
        f"{data_folder} does not hold {corpus}. Expected {expected}. Found: "
        f"{first_few(found, shown=20) or 'nothing'}. Unpack the archives of "
        f"{source} there, or name another folder by {flag}"
    )
