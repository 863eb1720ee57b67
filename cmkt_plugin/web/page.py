"""The web page: record or drop a file, hear and see before and after."""

import shutil
import tempfile
from html import escape
from pathlib import Path

from cmkt_plugin.matplotlib_check import check_matplotlib

INSTALL = "pip install 'cmkt_plugin[serve]'"
check_matplotlib("The web page", INSTALL)
try:
    import gradio as gr
except ImportError as error:
    if error.name != "gradio":  # a fault
        raise
    raise ImportError(f"The web page needs gradio: {INSTALL}") from error

from cmkt_plugin.web.enhancement import compare  # noqa: E402

TITLE = "Speech enhancement"
INTRODUCTION = f"""# {TITLE}
Record, or drop a file; then compare it with what the model makes of it.
The enhanced file keeps format, sampling rate, channels and level.
"""
SWEEP, KEPT = 600, 3600  # seconds between removals, that a file is kept
READING = 20  # seconds that a message stays
# Gradio lays a picture's label and button over it: room for them.
CSS = ".spectrogram .image-frame { padding-top: 2.2rem; background: white; }"


class WebPage:
    """The page's inputs, its results, and what the button does.

    Arguments
    ---------
    models : LoadedModels
        To choose from.
    limit : float
        The longest recording taken (s).
    jobs : int
        Recordings enhanced at once; others wait in a queue.
    """

    def __init__(self, models, limit=600, jobs=1):
        self.models = models
        self.limit = limit
        with gr.Blocks(
            title=TITLE, analytics_enabled=False, delete_cache=(SWEEP, KEPT)
        ) as self.blocks:
            gr.Markdown(INTRODUCTION)
            with gr.Row():
                inputs = self._inputs()
            results = self._results()
            self.button.click(
                self.enhance,
                inputs,
                results,
                concurrency_limit=jobs,
                api_visibility="private",
            )
        self.blocks.queue(api_open=False)

    def enhance(self, recording, name, dry_wet, keep_high_band):
        """Values of the results, for those of the inputs.

        Raises
        ------
        gr.Error
            With one sentence for the user, where the recording or the model
            has a fault.
        """
        if recording is None:
            raise _shown("Record something or drop a file first.")
        made = self._compare(Path(recording), name, dry_wet, keep_high_band)
        picture_of = f"Waveform and spectrogram of {Path(recording).name}"
        return (
            made.summary,
            gr.Column(visible=True),
            str(made.before),
            gr.Image(str(made.before_picture), alt_text=picture_of),
            str(made.after),
            gr.Image(
                str(made.after_picture), alt_text=f"{picture_of}, enhanced"
            ),
            gr.DownloadButton(value=str(made.enhanced)),
        )

    def _compare(self, recording, name, *options):
        # Where Gradio serves files from, and removes them in the end.
        cache = Path(self.blocks.GRADIO_CACHE)
        cache.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=cache))
        try:
            model = self.models[name]
            return compare(model, recording, folder, *options, self.limit)
        # RuntimeError: of libsndfile, or of a GPU without memory.
        except (ValueError, OSError, RuntimeError) as error:
            shutil.rmtree(folder)
            # The user knows the file's name, not where Gradio put it.
            text = str(error).replace(str(recording), recording.name)
            raise _shown(text) from error

    def _inputs(self):
        with gr.Column():
            # Not an Audio: that one refuses formats which no browser plays.
            recording = gr.File(label="Recording", elem_id="recording")
            microphone = gr.Audio(
                label="Microphone",
                sources="microphone",
                type="filepath",  # as numpy Gradio would make it 16 bit
                format="wav",
                editable=False,
                buttons=[],
            )
        microphone.stop_recording(
            lambda recorded: recorded,
            microphone,
            recording,
            api_visibility="private",
        )
        with gr.Column():
            model = gr.Dropdown(
                self.models.names, label="Model", filterable=False
            )
            dry_wet = gr.Slider(
                0,
                1,
                1,
                step=0.05,
                label="Dry/wet mix",
                info="0 gives the input back, 1 the enhanced signal alone.",
            )
            keep_high_band = gr.Checkbox(
                label="Keep the high band",
                info="Mixes back what lies above the model's band.",
            )
            self.button = gr.Button("Enhance", variant="primary")
        return [recording, model, dry_wet, keep_high_band]

    def _results(self):
        with gr.Column(visible=False) as section:
            summary = gr.Textbox(label="Result", interactive=False)
            with gr.Row():
                with gr.Column():
                    before = _player("Before", "before")
                    before_picture = _picture("Waveform and spectrogram before")
                with gr.Column():
                    after = _player("After", "after")
                    after_picture = _picture("Waveform and spectrogram after")
            download = gr.DownloadButton("Download the enhanced file")
        return [
            summary,
            section,
            before,
            before_picture,
            after,
            after_picture,
            download,
        ]


def theme():
    """Colours of enough contrast, and no font from another host."""
    return gr.themes.Default(
        primary_hue="blue",
        font=["system-ui", "sans-serif"],
        font_mono=["monospace"],
    ).set(
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        block_info_text_color="*neutral_500",
        block_info_text_color_dark="*neutral_400",
    )


def _player(label, name):
    # Gradio's own waveform fills its frame, whatever the level.
    plain = gr.WaveformOptions(show_recording_waveform=False)
    return gr.Audio(
        label=label,
        type="filepath",
        interactive=False,
        buttons=[],
        waveform_options=plain,
        elem_id=name,
    )


def _picture(label):
    return gr.Image(
        label=label,
        interactive=False,
        buttons=["fullscreen"],
        elem_classes="spectrogram",
    )


def _shown(message):
    # Gradio shows messages as HTML, and file names come from anyone.
    return gr.Error(
        escape(message, quote=False),
        duration=READING,
        print_exception=False,
    )
