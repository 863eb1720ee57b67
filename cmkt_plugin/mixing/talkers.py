"""Other speakers of a set, to be heard as babble."""

from collections import defaultdict

from cmkt_plugin.mixing.draws import pick
from cmkt_plugin.mixing.mixture import Talker


class Talkers:
    """The clean recordings of a set, by speaker.

    Arguments
    ---------
    entries : dict
        Utterance to ``clean_wav``, ``speaker`` and ``length`` in seconds.
    sample_rate : int
        Rate of the recordings (Hz).

    Example
    -------
    >>> import random
    >>> entries = {
    ...     "a1": {"clean_wav": "a1.wav", "speaker": "a", "length": 1.0},
    ...     "b1": {"clean_wav": "b1.wav", "speaker": "b", "length": 1.0},
    ... }
    >>> talkers = Talkers(entries, sample_rate=16000)
    >>> talkers.draw(random.Random(0), "a", count=1)
    (Talker(clean_wav='b1.wav', speaker='b', offset=...),)
    """

    def __init__(self, entries, sample_rate):
        self.sample_rate = sample_rate
        recordings = defaultdict(list)
        # In order of utterance: the same draw whatever order a set came in.
        for utterance in sorted(entries):
            entry = entries[utterance]
            recordings[entry["speaker"]].append(
                (entry["clean_wav"], entry["length"])
            )
        self.recordings = dict(recordings)
        self.speakers = sorted(recordings)

    def require(self, count):
        """Refuses a set with too few speakers beside the target's own.

        Arguments
        ---------
        count : int
            Talkers that may be asked for.
        """
        others = len(self.speakers) - 1
        if others < count:
            raise ValueError(
                f"babble_talkers asks for up to {count} talkers, found "
                f"{len(self.speakers)} speakers in the set, so {others} beside "
                "the target's; lower babble_talkers, set babble_probability "
                "to 0 or use a set with more speakers"
            )

    def draw(self, source, speaker, count):
        """Draws talkers of different speakers, one recording of each.

        Arguments
        ---------
        source : random.Random
            The generator.
        speaker : str
            The target's, who is not drawn.
        count : int
            How many.

        Returns
        -------
        tuple of Talker
        """
        chosen = {}
        while len(chosen) < count:
            name = pick(source, self.speakers)
            if name != speaker:
                path, length = pick(source, self.recordings[name])
                frames = max(round(length * self.sample_rate), 1)
                offset = int(source.random() * frames)
                chosen[name] = Talker(path, name, offset)
        return tuple(chosen.values())
