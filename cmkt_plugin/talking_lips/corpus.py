"""Renders the corpus of talking lips, or what is still missing of it."""

import csv
import io
import json
import os
from pathlib import Path

import numpy as np

import cmkt_plugin
from cmkt_plugin import generated_noise
from cmkt_plugin.atomic import write_text
from cmkt_plugin.file_hash import hash_files
from cmkt_plugin.generated_noise import TEST, TRAIN, clatter, coloured, hum
from cmkt_plugin.leftovers import remove_leftovers
from cmkt_plugin.talking_lips.camera import film
from cmkt_plugin.talking_lips.frame_phones import read_phones, write_phones
from cmkt_plugin.talking_lips.mouth_track import mouth_track
from cmkt_plugin.talking_lips.plan import plan
from cmkt_plugin.talking_lips.speakers import generator
from cmkt_plugin.talking_lips.synthesis import RATE, find_espeak, speak
from cmkt_plugin.talking_lips.video_writer import write_video
from cmkt_plugin.visual.media import load_av, load_cv2
from cmkt_plugin.wav_file import write_wav

STAMP = "made_from.json"
COLUMNS = ("id", "split", "video", "audio", "speaker", "transcript", "phones")
NOISE_S, NOISES_OF_A_KIND = 20, 4
NOISE_LEVEL = 0.05
# All that decides what a clip looks and sounds like
CODE = (
    *("camera", "espeak", "mouth", "mouth_track", "person", "plan"),
    *("portrait", "speakers", "synthesis", "video_writer", "visemes"),
)


def render(out, sentences, sizes, seed=0, jobs=None, tell=print):
    """Renders a corpus; what is there of it stays.

    Arguments
    ---------
    out : str or pathlib.Path
        Folder to make, or one that a stopped command left.
    sentences : list of str
        What is said.
    sizes : dict
        Split to the number of speakers and of clips of each.
    seed : int
        Decides all else.
    jobs : int or None
        Processes; None takes all cores.
    tell : callable
        Told how it goes, a line at a time.

    Returns
    -------
    dict
        ``clips`` and ``rendered``, those that were missing.

    Raises
    ------
    FileExistsError
        If ``out`` holds something else.
    ImportError
        If OpenCV, PyAV or espeakng-loader is missing.
    ValueError
        If a phone has no viseme or there are too few sentences or voices.
    """
    from joblib import Parallel, cpu_count, delayed

    for needed in (load_cv2, load_av, find_espeak):
        needed()  # before anything is written
    out, clips = Path(out), plan(sentences, sizes, seed)
    _claim(out, sentences, sizes, seed)
    for folder in {(out / c.video).parent for c in clips} | {out / "phones"}:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
    missing = [clip for clip in clips if not (out / clip.video).exists()]
    run = Parallel(jobs or cpu_count(), return_as="generator")
    tasks = (delayed(render_clip)(clip, out, seed) for clip in missing)
    for number, _ in enumerate(run(tasks), start=1):
        if number % 50 == 0 or number == len(missing):
            tell(f"{number} of {len(missing)} clips rendered")
    write_noise(out / "noise", sizes, seed)
    _write_list(out, clips)
    return {"clips": len(clips), "rendered": len(missing)}


def render_clip(clip, out, seed):
    """Renders one clip: its phones first, then its video.

    Arguments
    ---------
    clip : Clip
        What to render.
    out : pathlib.Path
        The corpus's folder, with the clip's folders in it.
    seed : int
        Of the corpus.
    """
    load_cv2().setNumThreads(1)  # clips are drawn side by side
    speaker = clip.speaker
    wav, phones = speak(clip.text, speaker.voice, clip.speed, clip.pitch)
    rng = generator(seed, f"film of {clip.id}")
    track = mouth_track(phones, len(wav) / RATE, speaker.articulation, rng)
    write_phones(out / clip.phones, phones)
    frames = film(speaker.person, track, rng)
    write_video(out / clip.video, frames, wav, RATE)


def write_noise(folder, sizes, seed):
    """Writes noise for every split, test noise of other ranges.

    Arguments
    ---------
    folder : pathlib.Path
        Where the splits' folders go; files that are there stay.
    sizes : dict
        Its keys are the splits.
    seed : int
        Of the corpus.
    """
    for split in sizes:
        ranges = TEST if split == "test" else TRAIN
        (folder / split).mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder / split)
        for kind in (coloured, hum, clatter):
            for number in range(1, NOISES_OF_A_KIND + 1):
                name = f"{split}_{kind.__name__}_{number}"
                # Not _1, _2: those would be pieces of one recording, which
                # may not be parted (mixing/parts.py).
                file = f"{split}_{kind.__name__}{number}.wav"
                path = folder / split / file
                if path.exists():
                    continue
                noise = kind(generator(seed, name), NOISE_S * RATE, ranges)
                noise *= NOISE_LEVEL / np.sqrt(np.mean(noise**2))
                write_wav(path, np.clip(noise, -1, 1), RATE)


def _claim(out, sentences, sizes, seed):
    """Makes ``out`` this corpus's own, or finds that it is."""
    here = Path(__file__).parent
    code = [here / f"{name}.py" for name in CODE]
    made_from = {
        "cmkt_plugin": cmkt_plugin.__version__,
        "code": hash_files([*code, Path(generated_noise.__file__)]),
        "sentences": sentences,
        "sizes": {split: list(size) for split, size in sizes.items()},
        "seed": seed,
    }
    stamp = out / STAMP
    if stamp.exists():
        other = json.loads(stamp.read_text(encoding="utf-8"))
        wrong = [key for key in made_from if other.get(key) != made_from[key]]
        if wrong:
            raise FileExistsError(
                f"{out} is a corpus of other {', '.join(wrong)} (see {STAMP}): "
                "name another folder, or remove this one."
            )
    elif out.exists() and os.listdir(out):
        raise FileExistsError(
            f"{out} holds something that is no rendered corpus (no {STAMP} in "
            "it): name a new folder."
        )
    else:
        write_text(stamp, json.dumps(made_from, indent=1) + "\n")


def _write_list(out, clips):
    """Writes ``clips.csv``, last: it tells that the corpus is whole."""
    rows = [
        (
            clip.id,
            clip.split,
            clip.video,
            "",
            clip.speaker.name,
            clip.text,
            " ".join(p.symbol for p in read_phones(out / clip.phones)),
        )
        for clip in clips
    ]
    write_text(out / "clips.csv", _csv([COLUMNS, *rows]))


def _csv(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
