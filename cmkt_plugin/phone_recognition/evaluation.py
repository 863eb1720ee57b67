"""Phone errors of the recordings in folders: what is found, and the tables."""

from dataclasses import dataclass

from cmkt_plugin.evaluation.pairs import speakers_of
from cmkt_plugin.phone_recognition import phone_errors, recognition
from cmkt_plugin.phone_recognition.confusion_csv import (
    write_confusions,
    write_errors,
)
from cmkt_plugin.phone_recognition.table import top_confusions
from cmkt_plugin.provenance import without_paths
from cmkt_plugin.results_file import write_results


@dataclass
class PhoneEvaluation:
    """What came of judging systems.

    Arguments
    ---------
    found : dict
        As ``table.markdown`` takes it.
    alignments : dict
        From ``phone_errors.align_systems``.
    speakers : dict
        Utterance to speaker.
    faults : list of str
        One line for each recording that is not in them.
    """

    found: dict
    alignments: dict
    speakers: dict
    faults: list

    def write(self, output, text, provenance):
        """Write tables and figures, errors of every recording, confusions.

        Arguments
        ---------
        output : pathlib.Path
            ``.md``, ``.json``, ``.csv`` and ``_confusions_<system>.csv`` are
            appended to its name.
        text : str
            From ``table.markdown``.
        provenance : dict
            As ``provenance.record`` returns it.
        """
        # Meant to be published: no path of this machine.
        told = [" ".join(map(without_paths, f.split())) for f in self.faults]
        whole = {"provenance": provenance, "faults": told, **self.found}
        write_results(output, f"# {output.name}\n\n{text}", whole)
        write_errors(self.alignments, self.speakers, output)
        write_confusions(phone_errors.confusions(self.alignments), output)


def evaluate(judge, clean, systems, bases, speaker, groups=None):
    """Lets a judge listen to systems, and compares what it hears.

    Arguments
    ---------
    judge : cmkt_plugin.phone_recognition.judge.Judge
        Who listens.
    clean : str or pathlib.Path
        Folder of the clean recordings.
    systems : dict
        Name to folder of recordings with the same names.
    bases : list of str
        The systems that the others are compared with.
    speaker : str
        What in a name is the speaker, as for ``speakers_of``.
    groups : dict or None
        As ``mixture_groups.read_groups`` returns it.

    Returns
    -------
    PhoneEvaluation

    Raises
    ------
    ValueError, FileNotFoundError
        If there is nothing to judge, or the judge's own error rate is unknown.
    """
    held_out = judge.require_held_out()
    recordings, faults = recognition.find_recordings(clean, systems)
    speakers = speakers_of(recordings[recognition.CLEAN], speaker)
    heard, failed = recognition.recognize_all(judge, recordings)
    alignments = phone_errors.align_systems(heard)
    found = {
        "recognizer": {
            "name": judge.recognizer.name,
            "revision": judge.recognizer.revision,
            "symbol": judge.symbols.title,
            "held_out": held_out,
        },
        "utterances": len(heard[recognition.CLEAN]),
        "empty": phone_errors.count_empty(heard),
        **phone_errors.describe(alignments, speakers, bases, groups),
        "confusions": top_confusions(phone_errors.confusions(alignments)),
    }
    return PhoneEvaluation(found, alignments, speakers, faults + failed)
