"""The text of a model card (Jinja2); every figure is filled in."""

TEMPLATE = """\
---
{{ card_data }}
---

# {{ name }}: speech enhancement

{{ summary }}

{{ scores }}

## How to use it

With SpeechBrain, or with the Python package cmkt_plugin {{ version }}.
{{ usage }}{% if example %}
## Example

{{ example }}

| noisy | enhanced |
|---|---|
| <audio controls src="{{ files }}/example_noisy.wav"></audio> | \
<audio controls src="{{ files }}/example_enhanced.wav"></audio> |
| [example_noisy.wav](example_noisy.wav) | \
[example_enhanced.wav](example_enhanced.wav) |

![Spectrograms of the noisy and the enhanced example](example.png)
{% endif %}
## Data and licence

{{ data }}

## Training

`Linear` goes from `start` to `end` between the epochs `first` and `last`.

{{ training }}
{% if transfer %}
What taught it, in training only; none of it is in this repository:

{{ transfer }}
{% endif %}
Trained with this, one command a line{% if recipe %} in `{{ recipe }}` of the package{% endif %}, its
folders replaced by placeholders:

```bash
{{ command }}
```

{{ versions }}

## Limits

{{ limits }}

## Citation

```bibtex
@article{cmkt2025,
  title = {Linguistic Knowledge Transfer Learning for Speech Enhancement},
  author = {Hung, Kuo-Hsuan and Lu, Xugang and Fu, Szu-Wei and Tseng, Huan-Hsin
            and Lin, Hsin-Yi and Lin, Chii-Wann and Tsao, Yu},
  journal = {arXiv:2503.07078},
  year = {2025}
}

@article{speechbrain,
  title = "{SpeechBrain}: A General-Purpose Speech Toolkit",
  author = {Mirco Ravanelli and Titouan Parcollet and Peter Plantinga and others},
  journal = {arXiv:2106.04624},
  year = {2021}
}
```
"""
