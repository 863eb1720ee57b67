"""What one noisy recording is made of."""

from typing import NamedTuple, Optional


class Talker(NamedTuple):
    """A voice of a babble.

    Arguments
    ---------
    clean_wav : str
        Recording of another speaker.
    speaker : str
        That speaker.
    offset : int
        Sample it begins at; it is repeated from its start.
    """

    clean_wav: str
    speaker: str
    offset: int


class Mixture(NamedTuple):
    """Everything that makes a noisy recording of a clean one.

    Arguments
    ---------
    snr : float
        Ratio in dB, two decimals, of the mean powers of the speech
        (reverberant, if it is) and of the noise over the whole file.
    noise : str or None
        Recording of noise; None for babble.
    offset : int
        Frame, at the noise's own rate, it begins at; where it is too short
        it is repeated from its start.
    talkers : tuple of Talker
        The voices of a babble, equally loud.
    rir : str or None
        Room impulse response.
    early_ms : float
        Of the response, what the target keeps: milliseconds after the direct
        sound.
    speed : float
        Factor, two decimals; 1.1 is a tenth faster, and higher.
    level : float or None
        Level of the noisy file in dB: its mean power, relative to a full-scale
        square wave. None keeps the speech as loud as it was recorded.

    Example
    -------
    >>> mixture = Mixture(snr=2.5, noise="{noise_root}/hum.wav", offset=800)
    >>> mixture.kind
    'recorded'
    >>> Mixture.from_json(mixture.to_json()) == mixture
    True
    """

    snr: float
    noise: Optional[str] = None
    offset: int = 0
    talkers: tuple = ()
    rir: Optional[str] = None
    early_ms: float = 50.0
    speed: float = 1.0
    level: Optional[float] = None

    @property
    def kind(self):
        """Kind of noise: ``babble`` or ``recorded``."""
        return "babble" if self.talkers else "recorded"

    def to_json(self):
        """Returns plain dicts and lists."""
        talkers = [talker._asdict() for talker in self.talkers]
        return {**self._asdict(), "talkers": talkers}

    @classmethod
    def from_json(cls, fields):
        """Makes a mixture of what ``to_json`` gave.

        Arguments
        ---------
        fields : dict
            As from ``to_json``.

        Raises
        ------
        ValueError
            If names are missing or unknown.
        """
        try:
            talkers = tuple(Talker(**t) for t in fields.get("talkers", ()))
            return cls(**{**fields, "talkers": talkers})
        except TypeError as error:
            raise ValueError(
                f"mixture {fields}: expected the fields "
                f"{', '.join(cls._fields)} and for talkers "
                f"{', '.join(Talker._fields)} ({error}); write the manifest "
                "again with `cmkt manifest`"
            ) from error
