"""The rendered corpus of talking lips: speech, mouths, faces, files."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from hyperpyyaml import load_hyperpyyaml

from cmkt_plugin.talking_lips import corpus, video_writer
from cmkt_plugin.talking_lips.frame_phones import read_phones
from cmkt_plugin.talking_lips.mouth_track import (
    DOMINANCE,
    PARAMETERS,
    TARGETS,
    Articulation,
    mouth_track,
)
from cmkt_plugin.talking_lips.plan import divide, plan
from cmkt_plugin.talking_lips.speakers import VARIANTS, speakers
from cmkt_plugin.talking_lips.synthesis import LEVEL, RATE, Phone, speak
from cmkt_plugin.talking_lips.visemes import PHONES, VISEMES, viseme_of
from cmkt_plugin.verbs.talking_lips import command

pytest.importorskip("espeakng_loader", reason="extra [phones]")
av = pytest.importorskip("av", reason="extra [av]")
pytest.importorskip("cv2", reason="extra [av]")

DEMO = Path(__file__).resolve().parents[1] / "recipes" / "demo"
SENTENCES = ["We wait.", "Bob moved.", "Five boats.", "Show me.", "Old food."]
SIZES = {"train": (1, 2), "valid": (1, 1), "test": (1, 1)}
ARGUMENTS = ["--train", "1", "2", "--valid", "1", "1", "--test", "1", "1"]
STILL = Articulation(timing_s=0, spread=0, tremor=0)


def render(out, *more):
    """Run the command on the tiny corpus."""
    text = out.with_name("sentences.txt")
    text.write_text("\n".join(SENTENCES) + "\n")
    arguments = [str(out), "--sentences", str(text), "--jobs", "1", *ARGUMENTS]
    return CliRunner().invoke(command, [*arguments, *more])


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """The tiny corpus; not to be changed."""
    out = tmp_path_factory.mktemp("talking") / "corpus"
    done = render(out)
    assert done.exit_code == 0, done.output
    return out


def files(folder):
    """Relative path to bytes of every file under a folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def clips(out):
    """Rows of a corpus's list."""
    with open(out / "clips.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def track(*phones, seconds=1.0, articulation=STILL, seed=0):
    """A mouth that says phones, given as (start, end, symbol)."""
    rng = np.random.default_rng(seed)
    said = [Phone(*phone) for phone in phones]
    return mouth_track(said, seconds, articulation, rng)


def at(shapes, seconds, parameter):
    """A parameter of a track at a time."""
    return shapes[round(seconds * 25), PARAMETERS.index(parameter)]


# --- speech ---------------------------------------------------------------


def test_phones_lie_where_they_sound():
    wav, phones = speak("See a shop.", "en-us+m1", 170, 50)
    assert [p.symbol for p in phones] == ["s", "i", "ɐ", "ʃ", "ɑ", "p"]
    for before, after in zip(phones, phones[1:]):
        assert before.start < before.end <= after.start
    assert np.sqrt(np.mean(wav**2)) == pytest.approx(LEVEL)

    def centroid(phone):
        span = wav[int(phone.start * RATE) : int(phone.end * RATE)]
        power = np.abs(np.fft.rfft(span)) ** 2
        return (
            np.sum(np.fft.rfftfreq(len(span), 1 / RATE) * power) / power.sum()
        )

    s, i, _, sh, a, _ = map(centroid, phones)
    assert s > 4000 > sh > 1500 > max(i, a)
    outside = wav[: int((phones[0].start - 0.02) * RATE)]
    assert np.abs(outside).max() < 0.1 * LEVEL


def test_liquid_between_vowel_and_consonant_sounds_in_its_span():
    wav, phones = speak("The old boat is cold.", "en-us+f1", 175, 50)
    liquids = [p for p in phones if p.symbol == "l"]
    assert len(liquids) == 2
    for phone in liquids:
        span = wav[int(phone.start * RATE) : int(phone.end * RATE)]
        assert np.sqrt(np.mean(span**2)) > 0.3 * LEVEL


def test_speech_does_not_depend_on_what_was_said_before():
    once, _ = speak("Show me.", "en+f1", 170, 50)
    speak("Something else.", "en+m3", 180, 20)
    again, _ = speak("Show me.", "en+f1", 170, 50)
    assert np.array_equal(once, again)


@pytest.mark.parametrize(
    ("text", "voice", "message"),
    [
        ("Hello.", "en+nobody", "no variant 'nobody'.*expected one of"),
        ("Hello.", "xx", "no voice 'xx'"),
        ("...", "en+m1", "says nothing for '...'"),
    ],
)
def test_what_cannot_be_said_is_named(text, voice, message):
    with pytest.raises(ValueError, match=message):
        speak(text, voice, 170, 50)


# --- visemes and movement -------------------------------------------------


def test_many_phones_share_few_visemes():
    phones = " ".join(PHONES.values()).split()
    assert len(VISEMES) <= 14 and len(set(phones)) == len(phones) > 60
    assert set(TARGETS) == set(DOMINANCE) == set(VISEMES)
    with pytest.raises(ValueError, match="No viseme for phone 'ʘ'"):
        viseme_of("ʘ")


@pytest.mark.parametrize("split", sorted(VARIANTS))
def test_every_voice_speaks_phones_with_visemes(split):
    sentences = (DEMO / "sentences.txt").read_text().splitlines()
    talkers = speakers(split, len(VARIANTS[split]), seed=0)
    for talker, text in zip(talkers, sentences[:: 720 // len(talkers)]):
        _, phones = speak(text, talker.voice, talker.speed, talker.pitch)
        assert all(viseme_of(phone.symbol) in VISEMES for phone in phones)


def test_lips_close_for_a_short_p_between_open_vowels():
    shapes = track((0.2, 0.4, "ɑ"), (0.4, 0.48, "p"), (0.48, 0.7, "ɑ"))
    assert at(shapes, 0.44, "opening") < 0.15
    assert min(at(shapes, t, "opening") for t in (0.32, 0.6)) > 0.6


def test_phones_of_a_viseme_look_the_same():
    words = [
        track((0.2, 0.4, "ɑ"), (0.4, 0.5, c), (0.5, 0.7, "i")) for c in "pbm"
    ]
    assert np.array_equal(words[0], words[1])
    assert np.array_equal(words[0], words[2])


def test_neighbours_colour_a_phone_and_the_next_one_more():
    after_u = track((0.2, 0.4, "u"), (0.4, 0.5, "t"), (0.5, 0.7, "i"))
    before_u = track((0.2, 0.4, "i"), (0.4, 0.5, "t"), (0.5, 0.7, "u"))
    alone = track((0.4, 0.5, "t"))
    rounding = [at(t, 0.44, "rounding") for t in (alone, after_u, before_u)]
    assert rounding[0] < 0.01 < 0.1 < rounding[1] < rounding[2]


def test_jitter_is_of_the_seed():
    said, shaky = (0.2, 0.6, "ɑ"), Articulation()
    first, same, other = (
        track(said, articulation=shaky, seed=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, same)
    assert 0.005 < np.abs(first - other).mean() < 0.2
    assert first.min() >= -1 and first.max() <= 1 and first.shape == (25, 6)


# --- faces ----------------------------------------------------------------


def test_detector_finds_the_talkers_and_the_crop_shows_the_mouth():
    import cv2

    from cmkt_plugin.talking_lips.camera import SIZE, film
    from cmkt_plugin.visual.face_detector import CascadeDetector

    detector, found, total = CascadeDetector(), 0, 0
    shapes = np.zeros((2, len(PARAMETERS)))
    shapes[1, 0] = 0.9
    for split, count in (("train", 15), ("valid", 2), ("test", 6)):
        for talker in speakers(split, count, seed=0):
            rng = np.random.default_rng(total)
            for frame in film(talker.person, shapes, rng):
                assert frame.shape == (SIZE, SIZE, 3)
                grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
                found += len(detector(grey)) == 1
                total += 1
    assert total == 46 and found >= 45


def test_only_the_mouth_and_the_jaw_move_in_a_portrait():
    from cmkt_plugin.talking_lips.mouth import draw_mouth
    from cmkt_plugin.talking_lips.portrait import portrait

    person = speakers("test", 1, seed=0)[0].person
    drawn = []
    for opening in (0.0, 0.9):
        image = portrait(person)
        draw_mouth(image, person, np.array([opening, 0, 0, 0.5, 0, 0]))
        drawn.append(image.astype(int))
    rows, columns = np.nonzero(np.abs(drawn[0] - drawn[1]).max(-1))
    reach = 1.5 * person.mouth_width
    assert np.abs(rows - person.mouth_y).max() < reach
    assert np.abs(columns - 192).max() < reach
    assert len(rows) > 500


def test_talkers_differ_and_stay_the_same_in_a_longer_list():
    few, many = speakers("train", 2, seed=3), speakers("train", 15, seed=3)
    assert few == many[:2]
    assert len({talker.person for talker in many}) == 15
    assert few != speakers("train", 2, seed=4)
    with pytest.raises(ValueError, match="expected 24 at most"):
        speakers("train", 25, seed=0)


# --- files ----------------------------------------------------------------


def test_video_has_every_frame_and_the_very_samples(tmp_path):
    rng = np.random.default_rng(0)
    wav = rng.uniform(-0.5, 0.5, 16000 // 25 * 7 - 100)
    frames = rng.integers(0, 255, (7, 64, 64, 3), dtype="uint8")
    path = tmp_path / "a.mkv"
    video_writer.write_video(path, frames, wav, RATE)
    with av.open(str(path)) as file:
        shown = [frame.time for frame in file.decode(video=0)]
    with av.open(str(path)) as file:
        heard = [frame.to_ndarray()[0] for frame in file.decode(audio=0)]
    assert shown == pytest.approx(np.arange(7) / 25)
    assert np.array_equal(np.concatenate(heard), np.round(wav * 32767))


def test_stopped_video_leaves_nothing(tmp_path):
    path = tmp_path / "a.mkv"

    def stopped():
        # The encoder looks ahead: it writes nothing at first.
        yield from np.zeros((60, 64, 64, 3), dtype="uint8")
        assert not path.exists() and list(tmp_path.iterdir())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        video_writer.write_video(path, stopped(), [0.0], RATE)
    assert not list(tmp_path.iterdir())


def test_corpus_is_laid_out_as_told(rendered):
    rows = clips(rendered)
    assert [row["id"] for row in rows] == [
        *("train01_001", "train01_002", "valid01_001", "test01_001")
    ]
    for row in rows:
        assert (rendered / row["video"]).is_file()
        phones = read_phones(rendered / "phones" / f"{row['id']}.csv")
        assert row["phones"].split() == [phone.symbol for phone in phones]
        with av.open(str(rendered / row["video"])) as file:
            seconds = sum(f.samples for f in file.decode(audio=0)) / RATE
        assert phones[-1].end < seconds < phones[-1].end + 0.2
    assert rows[0]["transcript"] == "We wait."
    assert rows[0]["phones"] == "w iː w eɪ t".replace("ː", "")


def test_noise_is_the_splits_own(rendered):
    folders = sorted((rendered / "noise").iterdir())
    assert [folder.name for folder in folders] == ["test", "train", "valid"]
    noises = [soundfile.read(p)[0] for f in folders for p in f.iterdir()]
    assert len(noises) == 36
    for noise in noises:
        assert len(noise) == 20 * RATE and 0.01 < noise.std() < 0.06
    # Same numbers in another split would be the same noise.
    assert len({noise.tobytes() for noise in noises}) == 36


def test_corpus_goes_on_where_it_was_stopped(rendered, tmp_path):
    out = tmp_path / "corpus"
    shutil.copytree(rendered, out)
    (out / "clips.csv").unlink()
    (out / "train" / "train01" / "train01_002.mkv").unlink()
    (out / "noise" / "test" / "test_hum1.wav").unlink()
    kept = out / "train" / "train01" / "train01_001.mkv"
    before = kept.stat().st_mtime_ns
    done = render(out)
    assert done.exit_code == 0 and "4 clips, 1 rendered now" in done.output
    assert kept.stat().st_mtime_ns == before
    assert files(out) == files(rendered)


def test_corpus_without_its_last_clip_has_no_list(tmp_path, monkeypatch):
    render_clip, calls = corpus.render_clip, []

    def stopped(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        render_clip(*arguments)

    monkeypatch.setattr(corpus, "render_clip", stopped)
    with pytest.raises(KeyboardInterrupt):
        corpus.render(tmp_path, SENTENCES, SIZES, jobs=1)
    assert not (tmp_path / "clips.csv").exists()
    assert (tmp_path / "train" / "train01" / "train01_001.mkv").exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [(["--seed", "1"], "seed"), (["--test", "1", "2"], "sizes")],
)
def test_corpus_of_other_settings_is_refused(rendered, change, named):
    before = files(rendered)
    done = render(rendered, *change)
    assert isinstance(done.exception, FileExistsError)
    assert f"a corpus of other {named} (see" in str(done.exception)
    assert files(rendered) == before


def test_corpus_of_other_code_is_refused(rendered, tmp_path):
    out = tmp_path / "corpus"
    shutil.copytree(rendered, out)
    stamp = json.loads((out / corpus.STAMP).read_text())
    (out / corpus.STAMP).write_text(json.dumps({**stamp, "code": "older"}))
    assert "a corpus of other code" in str(render(out).exception)


def test_foreign_folder_is_refused_and_kept(tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "letter.txt").write_text("dear")
    done = render(tmp_path / "corpus")
    assert "holds something that is no rendered corpus" in str(done.exception)
    assert list(files(tmp_path / "corpus")) == ["letter.txt"]


def test_splits_share_nothing():
    sentences = (DEMO / "sentences.txt").read_text().splitlines()
    sizes = {"train": (15, 40), "valid": (2, 24), "test": (6, 20)}
    planned = plan(sentences, sizes, seed=0)
    assert len(planned) == len({clip.id for clip in planned}) == 768
    for column in (
        lambda clip: clip.text,
        lambda clip: clip.speaker.voice.partition("+")[2],
        lambda clip: clip.speaker.person,
        lambda clip: clip.speaker.name,
    ):
        seen = {}
        for clip in planned:
            seen.setdefault(column(clip), set()).add(clip.split)
        assert all(len(splits) == 1 for splits in seen.values())
    for name, variants in VARIANTS.items():
        others = {v for n, vs in VARIANTS.items() if n != name for v in vs}
        assert not others & set(variants)


def test_clip_is_the_same_whatever_else_is_rendered():
    few = plan(SENTENCES, {"train": (1, 1), "test": (1, 1)}, seed=0)
    many = plan(SENTENCES, {"train": (2, 3), "test": (1, 1)}, seed=0)
    assert few[0] == many[0]


def test_noise_of_one_split_serves_all_sets(tmp_path, monkeypatch):
    """As the documents say it: `--noise_folder C/noise/train`, no more."""
    monkeypatch.setattr(corpus, "NOISE_S", 1)
    corpus.write_noise(tmp_path, SIZES, seed=0)
    yaml = DEMO.parents[1] / "hparams" / "mixing.yaml"
    with open(yaml, encoding="utf-8") as file:
        folder = {"noise_folder": str(tmp_path / "train")}
        mixing = load_hyperpyyaml(file, folder)
    found = [mixing[split].noise.list_files() for split in SIZES]
    assert sum(map(len, found)) == 12 and all(found)


def test_too_few_sentences_are_named():
    with pytest.raises(ValueError, match="2 distinct sentences for 3 splits"):
        divide(["a", "b", "a"], SIZES)


def test_only_test_noise_is_of_the_ranges_of_tests(tmp_path, monkeypatch):
    from cmkt_plugin.generated_noise import TEST, TRAIN

    drawn = []

    def hum(rng, length, ranges):
        drawn.append(ranges)
        return rng.standard_normal(length)

    for kind in ("coloured", "hum", "clatter"):
        monkeypatch.setattr(corpus, kind, hum)
    corpus.write_noise(tmp_path, SIZES, seed=0)
    assert drawn == [TRAIN] * 4 + [TRAIN] * 4 + [TEST] * 4
