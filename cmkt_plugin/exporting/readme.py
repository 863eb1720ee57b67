"""The README of an export: what it is and three ways to load it."""

from cmkt_plugin import __version__
from cmkt_plugin.visual.lips import has_use_for_lips

README = """\
# Speech enhancement model

{parameters} parameters, {sample_rate} Hz, one channel; made with cmkt_plugin
{version}. `FOLDER` stands for the path of this folder.

## With {first}

{needs}

```python
{loading}
{usage}
```

In a batch, enhance recordings of equal length: where a model looks over the
padding, the result depends on it.

## With cmkt_plugin, in Python

{safety}

```python
{opening}
model.enhance_file("noisy.wav", "enhanced.wav")
```

Any sample rate, any number of channels, recordings of any length.

## With cmkt_plugin, from the command line

```bash
cmkt enhance -m FOLDER noisy.wav recordings/ -o enhanced{trust}
```
"""

LIPS = """
## With lips

This model was trained to look at the talker, too; the ways above let it hear
only. Videos need cmkt_plugin's extra `av`:

```bash
cmkt enhance-video -m FOLDER talk.mp4 -o talk_enhanced.mp4{trust}
```

```python
from cmkt_plugin.visual.inference import AudioVisualEnhancement

model = AudioVisualEnhancement.open("FOLDER"{trusted})
model.enhance_video("talk.mp4", "talk_enhanced.mp4")
```
"""

ONNX = """
## Without PyTorch

`model.onnx` is the network, `onnx_runner.py` runs it with numpy and
onnxruntime; beside the two:

```python
import soundfile
from onnx_runner import ONNXEnhancer

noisy, sample_rate = soundfile.read("noisy.wav", dtype="float32")  # mono
enhanced = ONNXEnhancer("FOLDER").enhance(noisy[None])[0]  # {sample_rate} Hz
soundfile.write("enhanced.wav", enhanced, sample_rate)
```
"""

STOCK_LOADING = """\
from {module} import {cls}

model = {cls}.from_hparams(source="FOLDER")"""

FOREIGN_LOADING = """\
from speechbrain.inference.interfaces import foreign_class

model = foreign_class(
    source="FOLDER", pymodule_file="custom.py", classname="CMKTEnhancement"
)"""

SAFE_OPENING = """\
from cmkt_plugin.inference import CMKTEnhancement

model = CMKTEnhancement.from_safe("FOLDER")"""

TRUSTED_OPENING = """\
from cmkt_plugin.loading.model_source import open_model

model = open_model("FOLDER", trust=True)"""

FOREIGN_NEEDS = (
    "SpeechBrain has no interface for this model: cmkt_plugin must be\n"
    "installed. This runs `custom.py`: read it first."
)
SAFE = (
    "Runs and unpickles nothing of this folder: `config.json` names classes of\n"
    "a list, `model.safetensors` holds the weights."
)
UNSAFE = (
    "This runs what `hyperparams.yaml` names. `from_safe` does not load this\n"
    "model: {reason}"
)


def readme(stock, model, unsafe=None, custom=False, onnx=False):
    """The text of the README.

    Arguments
    ---------
    stock : cmkt_plugin.exporting.stock_interfaces.StockInterface
        How the export was written.
    model : speechbrain.inference.interfaces.Pretrained
        The export, loaded.
    unsafe : str or None
        Why it cannot be loaded the safe way; None: it can.
    custom : bool
        Whether its classes are in ``custom.py``.
    onnx : bool
        Whether there is a ``model.onnx``.

    Returns
    -------
    str
    """
    parameters = sum(p.numel() for p in model.mods.parameters())
    loading = FOREIGN_LOADING if custom else STOCK_LOADING
    interface = type(model)
    looks = any(map(has_use_for_lips, model.mods.values()))
    template = README + LIPS * looks + ONNX * onnx
    return template.format(
        parameters=f"{parameters:,}",
        sample_rate=model.hparams.sample_rate,
        version=__version__,
        first="SpeechBrain's foreign_class" if custom else "SpeechBrain",
        needs=FOREIGN_NEEDS if custom else stock.needs,
        loading=loading.format(
            module=interface.__module__, cls=interface.__name__
        ),
        usage=stock.usage,
        safety=UNSAFE.format(reason=unsafe) if unsafe else SAFE,
        opening=TRUSTED_OPENING if unsafe else SAFE_OPENING,
        trust=" --trust" if unsafe else "",
        trusted=", trust=True" if unsafe else "",
    )
