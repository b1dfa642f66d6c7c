"""The Gradio demo: stands alone in its folder, beside `model/`, `demo.json` and two modules.

python app.py                 # then open the address that it prints
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import gradio as gr
from inference import Generator

HERE = Path(__file__).parent
LONGEST = 400_000
MOST = 5

if os.environ.get("SPACES_ZERO_GPU"):
    # ZeroGPU starts only apps that name a GPU function; this model answers on the CPU.
    import spaces

    @spaces.GPU(duration=1)
    def unused() -> None:
        """Satisfy ZeroGPU's start-up check."""


config = json.loads((HERE / "demo.json").read_text("utf-8"))
generator = Generator(HERE / "model")


def write(diff: str, n: float = 3) -> list[str]:
    """Return commit subjects for a diff, the likeliest first.

    Args:
        diff: a unified diff, as `git diff` prints it; what is too long is cut by file and line.
        n: how many different messages, 1 to 5.
    """
    if not diff or not diff.strip():
        raise gr.Error(
            "Paste a diff first, as `git diff --staged` prints it.", print_exception=False
        )
    if len(diff) > LONGEST:
        raise gr.Error(
            f"{len(diff):,} characters are too many; send at most {LONGEST:,}.",
            print_exception=False,
        )
    try:
        found = generator.alternatives(diff, max(1, min(MOST, int(n))))
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from error
    return [row["text"] for row in found]


def show(diff: str, n: float) -> str:
    """Return the subjects one per line."""
    return "\n".join(write(diff, n))


with gr.Blocks(title=config["title"]) as demo:
    gr.Markdown(f"# {config['title']}\n\n{config['about']}")
    with gr.Row():
        with gr.Column():
            box = gr.Textbox(label="Diff", lines=14, max_lines=30, value=config["samples"][0])
            count = gr.Slider(1, MOST, value=3, step=1, label="Messages")
            button = gr.Button("Write the message", variant="primary")
        answer = gr.Textbox(label="Messages, the likeliest first", lines=3)
    gr.Examples([[text] for text in config["samples"]], inputs=box, label="Try one of these")
    gr.Markdown(config["links"])
    gr.on([button.click], show, inputs=[box, count], outputs=answer, api_name="show")
    gr.api(write, api_name="write")

if __name__ == "__main__":
    demo.launch()
