"""The Gradio demo: stands alone in its folder, with `model/`, `demo.json` and `inference.py`.

python app.py                 # then open the address that it prints
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import gradio as gr
from inference import Classifier

HERE = Path(__file__).parent
LONGEST = 20_000

if os.environ.get("SPACES_ZERO_GPU"):
    # ZeroGPU starts only apps that name a GPU function; this model answers on the CPU.
    import spaces

    @spaces.GPU(duration=1)
    def unused() -> None:
        """Satisfy ZeroGPU's start-up check."""


config = json.loads((HERE / "demo.json").read_text("utf-8"))
classifier = Classifier(HERE / "model")


def classify(text: str) -> dict[str, float]:
    """Return the probability of each label for a review.

    Args:
        text: a review in English; what lies beyond the model's length is not read.
    """
    if not text or not text.strip():
        raise gr.Error("Write a sentence first.", print_exception=False)
    if len(text) > LONGEST:
        raise gr.Error(
            f"{len(text):,} characters are too many; send at most {LONGEST:,}.",
            print_exception=False,
        )
    return {row["label"]: row["probability"] for row in classifier.answer(text)}


with gr.Blocks(title=config["title"]) as demo:
    gr.Markdown(f"# {config['title']}\n\n{config['about']}")
    with gr.Row():
        with gr.Column():
            box = gr.Textbox(label="Review", lines=4, max_lines=12, value=config["samples"][0])
            button = gr.Button("Classify", variant="primary")
        answer = gr.Label(label="Answer", num_top_classes=len(classifier.labels))
    gr.Examples([[text] for text in config["samples"]], inputs=box, label="Try one of these")
    gr.Markdown(config["links"])
    gr.on([button.click, box.submit], classify, inputs=box, outputs=answer, api_name="classify")

if __name__ == "__main__":
    demo.launch()
