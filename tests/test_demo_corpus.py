"""The demo corpus that the repository carries, and its builder."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

DEMO = Path(__file__).resolve().parents[1] / "recipes" / "demo"
# Some of each split; those that end in 005 are babble.
SOME = ("p301_001", "p301_005", "p226_005", "p401_001", "p401_005", "p402_009")


@pytest.fixture
def demo(monkeypatch):
    """The builder's module, imported as the script imports its neighbours."""
    monkeypatch.syspath_prepend(str(DEMO))
    import build

    yield build
    names = ("build", "mixtures", "compose", "grammar")
    for name in names:  # too common to leave behind for other tests
        sys.modules.pop(name, None)


@pytest.fixture
def built(demo, tmp_path):
    """A build of a few items."""
    out = tmp_path / "demo"
    assert demo.build(out, only=SOME)
    return out


def files(folder):
    """Relative path to bytes of every file under a folder."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_corpus_is_small_and_whole(demo):
    items = demo.read_corpus()
    names = {item["file"] for item in items}
    on_disk = {p.name for p in (DEMO / "corpus").glob("*.ogg")}
    assert names == on_disk and len(names) == len(items) == 720
    size = sum(p.stat().st_size for p in DEMO.rglob("*") if p.is_file())
    assert size < 10e6


def test_splits_share_no_speaker_and_no_sentence(demo):
    items = demo.read_corpus()
    for column in ("speaker", "transcript"):
        seen = {}
        for item in items:
            seen.setdefault(item[column], set()).add(item["split"])
        assert all(len(splits) == 1 for splits in seen.values())
    valid = {i["speaker"] for i in items if i["split"] == "valid"}
    assert valid == {"p226", "p287"}


def test_voice_variants_serve_one_split_each():
    # read from the source: the module itself needs torchaudio
    text = (DEMO / "synthesise.py").read_text(encoding="utf-8")
    table = text.split("SPLITS = ")[1].split("\n}\n")[0] + "\n}"
    variants = [
        {voice.split("+")[1] for _, voice, _, _ in speakers}
        for _, *speakers in eval(table).values()
    ]
    assert sum(map(len, variants)) == len(set.union(*variants)) == 23


def test_transcripts_are_the_sentences(demo):
    sentences = (DEMO / "sentences.txt").read_text(encoding="utf-8")
    transcripts = [item["transcript"] for item in demo.read_corpus()]
    assert transcripts == sentences.splitlines()
    assert len(set(transcripts)) == 720
    assert all(4 <= len(text.split()) <= 9 for text in transcripts)


def test_grammar_composes_the_sentences_and_no_held_out_word_is_new(demo):
    import compose

    sentences = compose.compose()
    text = (DEMO / "sentences.txt").read_text(encoding="utf-8")
    assert sentences == text.splitlines()
    trained = {w for s in sentences[:600] for w in compose.words(s)}
    held_out = {w for s in sentences[600:] for w in compose.words(s)}
    assert held_out <= trained


def test_layout(demo, built):
    assert {p.name for p in built.iterdir()} == {
        "clean_trainset_28spk_wav_16k",
        "noisy_trainset_28spk_wav_16k",
        "trainset_28spk_txt",
        "clean_testset_wav_16k",
        "noisy_testset_wav_16k",
        "testset_txt",
        "mixtures.csv",
        "built_from.txt",
    }
    for item in demo.read_corpus():
        if item["id"] in SOME:
            clean, noisy, text = demo.paths(built, item)
            about = sf.info(clean)
            assert (about.samplerate, about.subtype) == (16000, "PCM_16")
            assert sf.info(noisy).frames == about.frames
            assert text.read_text() == item["transcript"] + "\n"
    assert not built.with_name("demo.partial").exists()


def test_snr_is_as_stated(built):
    with open(built / "mixtures.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == sorted(
        SOME, key=lambda name: ("p3p2p4".index(name[:2]), name)
    )
    for row in rows:
        clean, noisy = (
            sf.read(next(built.glob(f"{kind}_*/{row['file']}.wav")))[0]
            for kind in ("clean", "noisy")
        )
        noise = noisy - clean
        snr_db = 10 * np.log10(np.mean(clean**2) / np.mean(noise**2))
        assert abs(snr_db - float(row["snr_db"])) < 0.1
        assert (row["noise"] == "babble") == (row["file"][5:] == "005")


def test_clean_and_noisy_are_scaled_together_where_they_would_clip(demo):
    import mixtures

    corpus = demo.read_corpus()
    item = next(i for i in corpus if i["id"] == "p404_009")
    clean, noisy, _, _ = mixtures.mixture(item, corpus)
    assert np.abs(noisy).max() == pytest.approx(0.99)
    scale = clean.std() / mixtures.read(item).std()
    assert scale < 0.9


def test_snr_and_noise_are_balanced(demo):
    import mixtures

    for split, count in (("train", 600), ("valid", 48), ("test", 72)):
        numbers = [
            item["number"]
            for item in demo.read_corpus()
            if item["split"] == split
        ]
        # 24 = 4 SNRs x 6 noises: whole rounds only
        assert numbers == list(range(count))
        assert count % (len(mixtures.SNR_DB) * len(mixtures.NOISES)) == 0


def test_two_builds_are_equal_to_the_byte(demo, built, tmp_path):
    assert demo.build(tmp_path / "again", only=SOME)
    assert files(built) == files(tmp_path / "again")


def test_item_is_the_same_whatever_else_is_built(demo, built, tmp_path):
    demo.build(tmp_path / "one", only=["p401_005"])
    name = Path("noisy_testset_wav_16k", "p401_005.wav")
    assert files(tmp_path / "one")[name] == files(built)[name]


def test_test_noise_is_outside_the_training_ranges(demo):
    from cmkt_plugin import generated_noise as noise

    for name, low in vars(noise.TRAIN).items():
        high = vars(noise.TEST)[name]
        (_, end), (start, _) = sorted((low, high))
        assert end < start, name


def test_complete_build_is_left_alone(demo, built):
    before = {p: p.stat().st_mtime_ns for p in built.rglob("*")}
    assert not demo.build(built, only=SOME)
    assert before == {p: p.stat().st_mtime_ns for p in built.rglob("*")}


def test_incomplete_build_is_refused(demo, built):
    (built / "testset_txt" / "p401_001.txt").unlink()
    with pytest.raises(FileExistsError, match="testset_txt/p401_001.txt"):
        demo.build(built, only=SOME)


def test_build_of_other_sources_is_refused(demo, built):
    (built / "built_from.txt").write_text("something else\n")
    with pytest.raises(FileExistsError, match="another version"):
        demo.build(built, only=SOME)


def test_foreign_folder_is_refused_and_kept(tmp_path):
    letter = tmp_path / "letter.txt"
    letter.write_text("dear")
    done = subprocess.run(
        [sys.executable, DEMO / "build.py", tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "not a demo corpus" in done.stderr
    assert "Traceback" not in done.stderr
    assert letter.read_text() == "dear"


def test_killed_build_leaves_no_out_and_is_done_again(demo, tmp_path):
    out = tmp_path / "demo"
    write, calls = demo.write_item, []

    def killed(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return write(*arguments)

    demo.write_item = killed
    with pytest.raises(KeyboardInterrupt):
        demo.build(out, only=SOME)
    assert not out.exists() and (tmp_path / "demo.partial").exists()
    demo.write_item = write
    assert demo.build(out, only=SOME) and demo.is_complete(
        out, [i for i in demo.read_corpus() if i["id"] in SOME]
    )


def test_recordings_are_trimmed_and_level(demo):
    import mixtures

    for item in demo.read_corpus()[::24]:
        samples = mixtures.read(item)
        assert 0.8 < len(samples) / 16000 < 3.5
        assert 0.04 < samples.std() < 0.06
        assert np.abs(samples).max() < 0.9
        loud = np.flatnonzero(np.abs(samples) > 0.02)
        assert loud[0] < 0.15 * 16000
        assert len(samples) - loud[-1] < 0.3 * 16000
