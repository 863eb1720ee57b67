"""Package definition of cmkt_plugin."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = (HERE / "cmkt_plugin/__init__.py").read_text().split('"')[-2]

EXTRAS = {
    "plot": ["matplotlib>=3.7"],
    "phones": ["phonemizer>=3.3", "espeakng-loader>=0.2.4", "pypinyin>=0.50"],
    # Version 5 of OpenCV carries no face detector.
    "av": ["av>=14", "opencv-python-headless>=4.8,<5"],
    "onnx": ["onnx>=1.16", "onnxruntime>=1.18"],
    "serve": ["gradio>=6.31,<7", "matplotlib>=3.7"],
}

setup(
    name="cmkt_plugin",
    version=VERSION,
    description="Speech enhancement taught by a language model (SpeechBrain)",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["cmkt_plugin", "cmkt_plugin.*"]),
    package_data={"cmkt_plugin.report": ["*.html", "*.css"]},
    python_requires=">=3.10",
    install_requires=[
        # torchaudio stopped at 2.11.0: a newer torch beside it does not load.
        "torch==2.11.0",
        "torchaudio==2.11.0",
        "speechbrain==1.1.2",
        "transformers>=4.48",
        "regex",
        "scipy>=1.15",
        "hyperpyyaml>=1.2.2",
        # 0.19 changed the loader that hyperpyyaml subclasses.
        "ruamel.yaml>=0.17.28,<0.19",
        "safetensors>=0.4",
        "huggingface_hub>=1.0",
        "jinja2>=3.1",
        "soundfile>=0.12.1",
        "soxr>=0.5",
        "sentencepiece>=0.1.99",
        "pesq>=0.0.4",
        "pystoi>=0.4",
        "joblib>=1.3",
        "click>=8.1",
        "tqdm>=4.42",
    ],
    extras_require={
        **EXTRAS,
        "dev": [
            "pytest>=7.4",
            "pytest-xdist>=3.5",
            "ruff==0.17.5",
            "playwright>=1.40",
            *(needed for extra in EXTRAS.values() for needed in extra),
        ],
    },
    entry_points={"console_scripts": ["cmkt=cmkt_plugin.cli:main"]},
)
