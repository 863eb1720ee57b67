"""Quality and time for each number of sampling steps."""

import time

import pytest
import torch
from click.testing import CliRunner
from speechbrain.dataio.dataset import DynamicItemDataset
from test_export import make_run
from toy_backbones import speech

from cmkt_plugin.cli import main
from cmkt_plugin.diffusion import few_steps
from cmkt_plugin.diffusion.compressed_stft import CompressedSTFT
from cmkt_plugin.diffusion.enhancer import DiffusionEnhancer
from cmkt_plugin.diffusion.parameterizations import NoisePrediction
from cmkt_plugin.diffusion.samplers import ProbabilityFlowODE
from cmkt_plugin.diffusion.score_model import ScoreModel
from cmkt_plugin.diffusion.score_network import ScoreUNet
from cmkt_plugin.diffusion.sde import OUVESDE
from cmkt_plugin.diffusion.step_schedules import UniformSteps
from cmkt_plugin.enhancers import Enhanced
from cmkt_plugin.inference_cost.diffusion import markdown
from cmkt_plugin.inference_cost.diffusion_model import measure
from cmkt_plugin.visual.predictive_enhancer import PredictiveEnhancer


class Halves(torch.nn.Module):
    """A predictive stage that is quick."""

    hop_length = 64

    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.tensor(0.5))

    def estimate(self, spectrum, lips, lengths):
        return self.gain * spectrum, None

    def forward(self, noisy, lengths):
        return Enhanced(self.gain * noisy, None)


def enhancer(predictive=None):
    torch.manual_seed(0)
    network = ScoreUNet(
        bins=64,
        model_channels=8,
        channel_mult=[1, 2],
        conditions=1 if predictive is None else 2,
    )
    # The output layer starts at zero, at which all steps would be alike.
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    sampler = ProbabilityFlowODE(OUVESDE(), UniformSteps(3))
    model = ScoreModel(network, OUVESDE(), sampler, NoisePrediction())
    transform = CompressedSTFT(n_fft=126, hop_length=64)
    return DiffusionEnhancer(transform, model, predictive).eval()


def items():
    clean = speech(3, 8000)
    noisy = clean + 0.01 * torch.randn(clean.shape)
    entries = {
        f"a_{i}": {
            "speaker": f"s{i}",
            "length": 0.5,
            "noisy_sig": noisy[i],
            "clean_sig": clean[i],
        }
        for i in range(3)
    }
    keys = ["id", "speaker", "noisy_sig", "clean_sig"]
    return DynamicItemDataset(entries, output_keys=keys)


def test_each_number_of_steps_beside_predictive_stage_and_noisy_input():
    model, heard = enhancer(Halves()), []
    rows, seconds = few_steps.measure(
        model, items(), [3, 1], None, ["si_sdr"], 1, heard.append
    )
    names = ["N = 3", "N = 1", "predictive stage", "noisy input"]
    assert list(rows) == list(seconds) == names
    assert all(len(given) == 3 for given in rows.values())
    scores = {n: [row["si_sdr"] for row in given] for n, given in rows.items()}
    assert scores["N = 3"] != scores["N = 1"]
    # Half as loud is the same to this metric.
    assert scores["predictive stage"] == pytest.approx(scores["noisy input"])
    assert model.score_model.sampler.steps.number == 3  # as it was
    assert len(heard) == 4


def test_steps_are_those_of_the_sampler():
    model = enhancer()
    rows, _ = few_steps.measure(
        model, items(), [2], 2, ["si_sdr"], 1, lambda line: None
    )
    assert "predictive stage" not in rows and len(rows["N = 2"]) == 2
    model.score_model.sampler.steps.number = 2
    item = items()[0]
    expected = model(item["noisy_sig"][None], torch.ones(1)).wav[0]
    found = few_steps._with_steps(model, 2)(item)
    assert torch.equal(found, expected)


class OnDevice(torch.Tensor):
    """Computed by the time it is asked for, as on a GPU."""

    def cpu(self):
        time.sleep(0.1)
        return self.as_subclass(torch.Tensor)


def test_time_is_that_until_all_is_computed():
    def system(item):
        return item["noisy_sig"].as_subclass(OnDevice)

    _, seconds = few_steps._enhance(system, items(), ["si_sdr"], 1)
    assert seconds > 0.1 / 0.5  # of half a second of audio each


def test_models_without_steps_are_refused(tmp_path):
    make_run(tmp_path / "run", "blstm")
    done = CliRunner().invoke(main, ["few-steps", str(tmp_path / "run")])
    assert done.exit_code == 1
    assert "SpectralMask, which takes no steps" in done.output


def test_cost_of_a_size():
    backbone = "hparams/backbones/sgmse.yaml"
    knobs = "{model_channels: 8, num_res_blocks: 1, hop_length: 256}"
    enhanced = measure(backbone, knobs, 1.0, number=1, threads=1)
    trained = measure(backbone, knobs, 1.0, number=0, threads=1)
    assert enhanced["parameters"] == trained["parameters"] > 1e5
    cost = {n: {"seconds": 0.5, "memory": 2e8} for n in (0, 4)}
    row = {"knobs": knobs, "parameters": 7, "cost": cost}
    measured = {"audio": 1, "threads": 1, "load_average": 0, "rows": [row]}
    text = markdown(measured, {"command": "c"})
    assert "| parameters | training step | N = 4 |" in text
    assert "| 7 | 0.50 | 0.50 |" in text and "| 7 | 200 | 200 |" in text


def test_cost_of_two_stages_is_with_what_they_look_at(monkeypatch):
    seen = []

    def estimate(self, spectrum, lips, lengths):
        seen.append(lips)
        return spectrum, None

    monkeypatch.setattr(PredictiveEnhancer, "estimate", estimate)
    knobs = (
        "{visual_width: null, predictive: {lip_encoder: null}, "
        "model_channels: 16, num_res_blocks: 1}"
    )
    backbone = "hparams/backbones/audio_visual_score.yaml"
    for number in (0, 1):
        measure(backbone, knobs, 0.4, number, threads=1)
    assert {tuple(lips.pixels.shape) for lips in seen} == {(1, 10, 96, 96)}
    # Of training, visual dropout takes some away again.
    assert seen[-1].present.all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["gru.yaml"], "SpectralMask, which takes no steps"),
        (["sgmse.yaml", "--steps", "0.5"], "expected whole numbers above 0"),
        (["sgmse.yaml", "--seconds", "0"], "'--seconds'"),
        (["sgmse.yaml", "--threads", "0"], "'--threads'"),
    ],
)
def test_what_has_no_cost_is_refused(arguments, message):
    backbone, *more = arguments
    done = CliRunner().invoke(
        main, ["diffusion-cost", f"hparams/backbones/{backbone}", *more]
    )
    assert done.exit_code in (1, 2) and message in done.output
