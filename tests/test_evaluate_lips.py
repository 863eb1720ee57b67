"""``cmkt evaluate-lips``: gains that are known, of a model that is known."""

import json

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from shaded_videos import RATE, Brightness

from cmkt_plugin.cli import main
from cmkt_plugin.loading.adapters import parts_of
from cmkt_plugin.score_table import read_csv
from cmkt_plugin.visual import lip_evaluation
from cmkt_plugin.visual.inference import AudioVisualEnhancement
from cmkt_plugin.visual.lip_evaluation import LipEvaluation, lip_controls
from cmkt_plugin.visual.lip_evaluation_table import describe, markdown
from cmkt_plugin.visual.prepared_clip import write_lips

CLIPS = ("a1", "a2", "b1", "b2")
FRAMES = 25


def cmkt(*words):
    words = [str(word) for word in words]
    return CliRunner().invoke(main, ["evaluate-lips", *words])


def make_clip(folder, name, lips=True):
    """A clip that ``Brightness`` restores with its own lips, and only so."""
    generator = np.random.default_rng(sum(name.encode()))
    levels = generator.integers(40, 255, FRAMES).astype(np.uint8)
    clean = 0.02 * generator.standard_normal(FRAMES * RATE // 25)
    noisy = clean / np.repeat(levels / 255, RATE // 25)
    entry = {"length": 1.0, "speaker": name[0], "words": "bin blue"}
    for side, samples in (("clean", clean), ("noisy", noisy)):
        soundfile.write(folder / f"{name}_{side}.wav", samples, RATE, "FLOAT")
        entry[f"{side}_wav"] = f"{{data_root}}/{name}_{side}.wav"
    if lips:
        pixels = levels[:, None, None] * np.ones((1, 96, 96), np.uint8)
        write_lips(folder / f"{name}.npz", pixels, np.ones(FRAMES))
        entry["lips_file"] = f"{{data_root}}/{name}.npz"
    return entry


@pytest.fixture
def make_run(tmp_path, monkeypatch):
    """Runs with a test set, whose model is ``Brightness``."""

    def opened(source, device=None, trust=False):
        return AudioVisualEnhancement(*parts_of(Brightness(), RATE))

    monkeypatch.setattr(AudioVisualEnhancement, "open", opened)
    data = tmp_path / "data"
    data.mkdir()

    def make(name, lips=True):
        run = tmp_path / "runs" / name
        (run / "save").mkdir(parents=True)
        (run / "hyperparams.yaml").write_text(f"data_folder: {data}\n")
        entries = {clip: make_clip(data, clip, lips) for clip in CLIPS}
        (run / "save" / "test.json").write_text(json.dumps(entries))
        return run

    return make


def test_own_lips_help_and_other_or_no_lips_do_not(make_run, tmp_path):
    run = make_run("model/1")
    done = cmkt(run, "-o", tmp_path / "lips", "--jobs", 1, "--drop", 0.4)
    assert done.exit_code == 0, done.stderr
    found = json.loads((tmp_path / "lips.json").read_text())
    found = found["models"]["model"]["controls"]
    assert list(found) == [
        "noisy input",
        "own lips",
        "lips of another clip",
        "no video",
        "40% of frames lost",
    ]
    si_sdr = {n: f["scores"]["si_sdr"]["mean"] for n, f in found.items()}
    assert si_sdr["own lips"] > 60
    # A gain for all samples changes no SI-SDR.
    assert si_sdr["no video"] == pytest.approx(si_sdr["noisy input"], abs=1e-3)
    assert si_sdr["lips of another clip"] < si_sdr["no video"]
    assert si_sdr["40% of frames lost"] < si_sdr["no video"]
    lost = found["no video"]["difference"]["si_sdr"]
    assert lost["count"] == len(CLIPS) and lost["significant"]
    expected = si_sdr["no video"] - si_sdr["own lips"]
    assert lost["mean"] == pytest.approx(expected)
    assert found["own lips"]["difference"] == {}
    rows = read_csv(tmp_path / "lips.csv")
    assert len(rows) == 5 * len(CLIPS) and rows[0]["seen"] == "noisy input"
    assert (tmp_path / "lips.md").read_text() == done.stdout[:-1]


def test_runs_of_one_model_are_its_seeds(make_run, tmp_path):
    runs = [make_run(name) for name in ("wide/1", "wide/2", "small/1")]
    out = tmp_path / "lips"
    done = cmkt(*runs, "-o", out, "--jobs", 1, "--items", 3)
    assert done.exit_code == 0, done.stderr
    models = json.loads(out.with_suffix(".json").read_text())["models"]
    seeds = {name: found["seeds"] for name, found in models.items()}
    assert seeds == {"runs/small": ["1"], "runs/wide": ["1", "2"]}
    lost = models["runs/wide"]["controls"]["no video"]["difference"]["pesq"]
    assert (lost["seeds"], lost["count"]) == (2, 6)


def test_what_has_no_lips_is_refused(make_run, tmp_path, monkeypatch):
    run = make_run("model/1", lips=False)
    done = cmkt(run, "-o", tmp_path / "lips")
    assert done.exit_code == 1
    assert "no clip of its save/test.json has lips" in done.stderr
    done = cmkt(run, "-o", tmp_path / "lips", "--steps", 2)
    assert "a Brightness draws no samples" in done.stderr
    monkeypatch.setattr(AudioVisualEnhancement, "looks", False)
    done = cmkt(run, "-o", tmp_path / "lips")
    assert "the model looks at no lips" in done.stderr
    assert not (tmp_path / "lips.md").exists()


def test_a_clip_that_cannot_be_enhanced_is_named(
    make_run, tmp_path, monkeypatch
):
    enhance = AudioVisualEnhancement.enhance_pair

    def failing(self, noisy, rate, pixels, present):
        if pixels is None:
            raise RuntimeError("out of memory")
        return enhance(self, noisy, rate, pixels, present)

    monkeypatch.setattr(AudioVisualEnhancement, "enhance_pair", failing)
    done = cmkt(make_run("model/1"), "-o", tmp_path / "lips", "--jobs", 1)
    assert done.exit_code == 1
    assert "Error: 1: no video: a1: out of memory\n" in done.stderr
    assert "not enhanced by model: 1: no video: a1 (out of" in done.stdout


def rows(values):
    return [
        {"id": n, "speaker": n[0], "note": "", **dict.fromkeys(METRICS, value)}
        for n, value in zip(CLIPS, values)
    ]


METRICS = lip_evaluation.METRICS
GROUPS = {
    "SNR": {"-5 to 0 dB": {"a1", "b1"}, "0 to 5 dB": {"a2", "b2", "c9"}},
    "noise": {"hum": {*CLIPS, "c9"}},
}


def evaluation(gain, groups=GROUPS):
    names = ["noisy input", *lip_controls()]
    own = np.array([1.0, 2.0, 1.0, 2.0])
    without = own - np.array([gain, 0, gain, 0])
    return LipEvaluation(
        dict(zip(names, map(rows, (0 * own, own, without, without)))), groups
    )


def test_differences_by_snr():
    found = describe({"1": evaluation(0.5), "2": evaluation(0.3)})
    low, high = (
        found["groups"]["SNR"][level]["runs"]["no video"]["difference"]["pesq"]
        for level in GROUPS["SNR"]
    )
    assert low["mean"] == pytest.approx(-0.4) and low["count"] == 4
    assert high["mean"] == 0 and high["count"] == 4
    made = dict.fromkeys(
        ("command", "date", "version", "commit", "machine", "torch"), "x"
    )
    text = markdown("lips", {"model": found}, made)
    assert "| no video | 4 | 2 | 1.300 ± 0.071 | −0.200 [" in text
    assert "### By SNR" in text and "| -5 to 0 dB | 2 | no video |" in text


def test_seeds_of_one_model_have_one_test_set():
    other = {"noise": {"babble": set(CLIPS)}}
    with pytest.raises(ValueError, match="1, 2 were tested on different"):
        describe({"1": evaluation(0.5), "2": evaluation(0.5, other)})
