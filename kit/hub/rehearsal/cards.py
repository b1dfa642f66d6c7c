"""The metadata of a card as the Hub judges it: the rules that its documentation states.

What the Hub refuses is an error, what it lets pass with a word is a warning. Rules that are not
documented are not guessed: a card that passes here may still be refused there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from starlette.responses import JSONResponse, Response

from kit.hub.rehearsal.application import Call, route

WORDS = {
    name: frozenset(words.split())
    for name, words in tomllib.loads(Path(__file__).with_name("words.toml").read_text()).items()
}
SHORT_CHARACTERS = 60
LISTS = ("tags", "datasets", "metrics", "widget", "models", "configs", "language_creators")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*|code|multilingual")
Problem = Callable[[dict[str, Any]], Iterator[str]]


def judge(kind: str, content: str) -> tuple[list[str], list[str]]:
    """Return the errors and the warnings of a README's metadata.

    >>> judge("space", "---\\nsdk: gradio\\ncolorFrom: teal\\n---\\n")[0]
    ['"colorFrom" must be one of [blue, gray, green, indigo, pink, purple, red, yellow]']
    """
    found = re.match(r"\s*---[ \t]*\r?\n(.*?)\r?\n---", content, re.DOTALL)
    if not found:
        return [], ["empty or missing yaml metadata in repo card"]
    try:
        card = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        return [f"Invalid YAML: {' '.join(str(error).split())}"], []
    if not isinstance(card, dict):
        return ["The metadata must be a YAML mapping"], []
    errors = [*_shapes(card), *_known(card)]
    if kind == "space":
        errors += _space(card)
    if kind == "model":
        errors += _model_index(card.get("model-index"))
    task = card.get("pipeline_tag")
    warnings = (
        []
        if task in (None, *WORDS["pipeline_tag"])
        else [f'The pipeline tag "{task}" is not in the list']
    )
    if "license" not in card and kind != "space":
        warnings.append("no license is named")
    return errors, warnings


def _shapes(card: dict[str, Any]) -> Iterator[str]:
    for key in LISTS:
        # One dataset, metric or model may stand alone.
        alone = () if key in ("tags", "widget", "configs") else (str,)
        if not isinstance(card.get(key, []), (list, *alone)):
            yield f'"{key}" must be an array'
    for key in ("license_name", "library_name", "pipeline_tag", "title", "emoji", "app_file"):
        if key in card and not isinstance(card[key], str):
            yield f'"{key}" must be a string'
    for tag in card.get("tags") or []:
        if not isinstance(tag, str):
            yield f'"tags" must hold strings, got {tag!r}'


def _known(card: dict[str, Any]) -> Iterator[str]:
    for license_id in _many(card.get("license")):
        if license_id not in WORDS["license"]:
            yield f'"license" must be one of the Hub\'s identifiers, got {license_id!r}'
    for language in _many(card.get("language")):
        if not isinstance(language, str) or not LANGUAGE.fullmatch(language):
            yield (
                f'"language" must hold ISO 639 codes such as "en", got {language!r} '
                "(YAML reads a bare no as false)"
            )
    for base in _many(card.get("base_model")):
        if not isinstance(base, str) or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", base):
            yield f'"base_model" with value {base!r} is not valid. Use a model id of the Hub'


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _space(card: dict[str, Any]) -> Iterator[str]:
    for key, known in (("sdk", "sdk"), ("colorFrom", "colour"), ("colorTo", "colour")):
        if key in card and card[key] not in WORDS[known]:
            yield f'"{key}" must be one of [{", ".join(sorted(WORDS[known]))}]'
    if len(str(card.get("short_description", ""))) > SHORT_CHARACTERS:
        yield f'"short_description" length must be at most {SHORT_CHARACTERS} characters'
    if "sdk_version" in card and not re.fullmatch(r"\d+\.\d+\.\d+\S*", str(card["sdk_version"])):
        yield f'"sdk_version" must be a full version such as "6.1.0", got {card["sdk_version"]!r}'
    if not isinstance(card.get("pinned", False), bool):
        yield '"pinned" must be a boolean'


def _model_index(index: Any) -> Iterator[str]:
    for place, model in enumerate(_many(index)):
        where = f'"model-index[{place}]'
        if not isinstance(model, dict) or not isinstance(model.get("name"), str):
            yield f'{where}.name" is required'
        elif not isinstance(model.get("results"), list):
            yield f'{where}.results" must be an array'
        else:
            for number, result in enumerate(model["results"]):
                yield from _result(f"{where}.results[{number}]", result)
    if index is not None and not isinstance(index, list):
        yield '"model-index" must be an array'


def _result(where: str, result: Any) -> Iterator[str]:
    for part, keys in (("task", ("type",)), ("dataset", ("type", "name"))):
        held = result.get(part) if isinstance(result, dict) else None
        for key in keys:
            if not isinstance(held, dict) or not isinstance(held.get(key), str):
                yield f'{where}.{part}.{key}" is required'
    metrics = result.get("metrics") if isinstance(result, dict) else None
    if not isinstance(metrics, list) or not metrics:
        yield f'{where}.metrics" must be an array with at least one metric'
        return
    for number, metric in enumerate(metrics):
        for key in ("type", "value"):
            if not isinstance(metric, dict) or metric.get(key) is None:
                yield f'{where}.metrics[{number}].{key}" is required'


@route("POST", "/api/validate-yaml")
async def validate(call: Call) -> Response:
    """Judge a README; JSON even when it is refused, which the client parses first."""
    asked = await call.json()
    errors, warnings = judge(asked.get("repoType") or "model", str(asked.get("content", "")))
    body = {
        "errors": [{"message": message} for message in errors],
        "warnings": [{"message": message} for message in warnings],
    }
    if errors:
        body |= {"error": "Invalid metadata in README.md"}  # type: ignore[dict-item]
    return JSONResponse(body, 400 if errors else 200)
