"""A causal model's ONNX files: what a browser reads of them, and that they write as torch does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto, load

from kit.export.block_int8 import rounded_blocks
from kit.export.causal import write_causal_onnx
from kit.export.onnx import FP32, INT8
from kit.export.token_parity import Said, TokenParity, reference, token_parity
from kit.inference import Generator
from tests import tiny_text
from tests.conftest import silent

KINDS = ("llama", "qwen2")
FILES = (FP32, INT8)


def answers(kind: str, seed: int = 7) -> list[Said]:
    generator = Generator(tiny_text.exported(kind), FP32, threads=1)
    prompts = [generator.prompt(diff) for diff in tiny_text.DIFFS]
    return reference(tiny_text.model(kind, seed), generator, prompts)


def compared(kind: str, file: str, said: list[Said]) -> TokenParity:
    folder = tiny_text.exported(kind)
    generator = Generator(folder, file, threads=1)
    return token_parity(file, (folder / file).stat().st_size, generator, said, silent)


def shapes(values: list[Any]) -> dict[str, list[Any]]:
    return {value.name: value.shape for value in values}


def matrices(model: ModelProto, data_type: int) -> Iterator[tuple[str, int]]:
    """Yield name and size of the weights of one type that are more than a row or a column."""
    for tensor in model.graph.initializer:
        wide = sum(length > 1 for length in tensor.dims) > 1 and not tensor.name.endswith("_scale")
        if tensor.data_type == data_type and wide:
            yield tensor.name, int(np.prod(tensor.dims))


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", KINDS)
def test_names_and_axes_are_those_that_transformers_js_looks_for(kind: str, file: str) -> None:
    session = onnxruntime.InferenceSession(tiny_text.exported(kind) / file)
    past = [1, 2, "past_sequence_length", 16]
    present = [1, 2, "total_sequence_length", 16]
    parts = [f"{layer}.{part}" for layer in range(2) for part in ("key", "value")]
    assert shapes(session.get_inputs()) == {
        "input_ids": [1, "sequence_length"],
        **{f"past_key_values.{part}": past for part in parts},
    }
    assert shapes(session.get_outputs()) == {
        "logits": [1, 1, 400],
        **{f"present.{part}": present for part in parts},
    }


def test_each_model_is_one_file(tmp_path: Path) -> None:
    folder = tiny_text.exported("llama") / "onnx"
    assert {path.name for path in folder.iterdir()} == {"model.onnx", "model_quantized.onnx"}


@pytest.mark.parametrize("kind", KINDS)
def test_fp32_writes_what_torch_writes_token_for_token(kind: str) -> None:
    found = compared(kind, FP32, answers(kind))
    assert found.n == len(tiny_text.DIFFS)
    assert found.tokens > 5 * found.n
    assert (found.agreement, found.identical, found.identical_tokens) == (1.0, 1.0, 1.0)
    assert found.largest_logit_difference < 1e-4
    assert found.tokens_per_second > 0 < found.first_token_ms


@pytest.mark.parametrize("kind", KINDS)
def test_int8_stays_near_torch(kind: str) -> None:
    found = compared(kind, INT8, answers(kind))
    assert 1e-4 < found.largest_logit_difference < 1.0
    assert found.agreement > 0.9
    assert found.identical_tokens > 0.3


def test_another_model_is_found_out() -> None:
    found = compared("llama", FP32, answers("llama", seed=8))
    assert found.identical == 0.0
    assert found.agreement < 0.5
    assert found.identical_tokens < 0.5
    assert found.largest_logit_difference > 1


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_read_in_parts_is_the_prompt_read_at_once(kind: str, file: str) -> None:
    generator = Generator(tiny_text.exported(kind), file, threads=1)
    ids = generator.encode(generator.prompt(tiny_text.DIFFS[0]))
    whole, cache = generator.read(ids, generator.start())
    begun = generator.start()
    for part in (ids[:7], ids[7:-1], ids[-1:]):
        logits, begun = generator.read(part, begun)
    assert np.abs(logits - whole).max() < 1e-4
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(cache, begun, strict=True))


def test_tied_embeddings_are_stored_once() -> None:
    folder, parameters = tiny_text.exported("llama"), tiny_text.model("llama").num_parameters()
    full, small = load(folder / FP32), load(folder / INT8)
    floats, ints = dict(matrices(full, 1)), dict(matrices(small, 3))
    norms = 5 * 64
    assert sum(floats.values()) == sum(ints.values()) == parameters - norms
    assert dict(matrices(small, 1)) == {}
    assert sorted(ints) == sorted(f"{name}_int8" for name in floats)


def test_a_large_weight_costs_its_own_block_only() -> None:
    weights = np.random.default_rng(0).normal(size=(4, 96)).astype(np.float32)
    weights[2, 40] = 100
    steps, scale = rounded_blocks(weights, axis=1)
    assert (steps.shape, scale.shape) == ((4, 3, 32), (4, 3, 1))
    error = np.abs((steps * scale).reshape(4, 96) - weights)
    assert np.delete(error[2], slice(32, 64)).max() < 0.02 < error[2, 32:64].max()


@pytest.mark.parametrize("axis", [0, 1])
def test_blocks_run_along_the_axis_that_is_summed(axis: int) -> None:
    weights = np.random.default_rng(1).normal(size=(64, 64)).astype(np.float32)
    steps, scale = rounded_blocks(weights, axis)
    assert np.abs((steps * scale).reshape(64, 64) - weights).max() <= scale.max() / 2
    assert np.all(np.abs(steps).max(axis + 1) == 127)


def test_an_odd_length_is_one_block() -> None:
    assert rounded_blocks(np.ones((5, 50), np.float32), axis=1)[0].shape == (5, 1, 50)


def test_a_model_in_half_precision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a model in float32, given torch\.bfloat16"):
        write_causal_onnx(tiny_text.model("llama").bfloat16(), tmp_path)


def test_the_cache_is_exported_although_training_had_switched_it_off(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trained = tiny_text.model("llama")
    trained.config.use_cache = False
    write_causal_onnx(trained, tmp_path)
    assert (tmp_path / FP32).read_bytes() == (tiny_text.exported("llama") / FP32).read_bytes()
    assert trained.config.use_cache is False
    assert capfd.readouterr() == ("", "")
