"""Answers of an exported model, from its folder alone: onnxruntime, tokenizers and numpy.

This file is copied as it is into a Space, so that the evaluation of an export, ``kit predict`` and
the demo give the same answer. A classifier needs nothing else. A generator needs ``prompts.py``,
which is copied beside it; inside the package that is ``kit.prompts``. From a shell::

    $ python inference.py FOLDER "A kind, funny film."
    [{"label": "positive", "probability": 0.98}, {"label": "negative", "probability": 0.02}]
    $ git diff --staged | python inference.py FOLDER -
    [{"text": "fix(cache): retry when a key is locked", "probability": 0.31}]

Texts are answered one by one. Dynamic int8 quantization takes the range of an activation from
the whole batch, so a batched answer would depend on its neighbours.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

DEFAULT_FILE = "onnx/model_quantized.onnx"
LONGEST_SUBJECT = 100
NEAR = 64
END = -1

Cache = list[npt.NDArray[np.float32]]


class Classifier:
    """A sequence classifier: ``config.json``, ``tokenizer.json``, ``tokenizer_config.json``, ONNX.

    Args:
        folder: the exported model.
        file: the ONNX file to run, relative to ``folder``.
        threads: of onnxruntime; None leaves the choice to it.

    Raises:
        FileNotFoundError: a file of the export is missing.
    """

    def __init__(
        self, folder: str | Path, file: str = DEFAULT_FILE, threads: int | None = None
    ) -> None:
        folder = Path(folder)
        _look_for(folder, file)
        config = json.loads((folder / "config.json").read_text("utf-8"))
        limits = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
        self.labels = [config["id2label"][str(i)] for i in range(len(config["id2label"]))]
        self.max_length = int(limits["model_max_length"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.max_length)
        self._session = _session(folder / file, threads)
        self._inputs = [node.name for node in self._session.get_inputs()]

    def tokens(self, text: str) -> int:
        """Return how many tokens the model reads of a text, special ones included."""
        return len(self._tokenizer.encode(text).ids)

    def logits(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the raw outputs, shape [texts, labels]."""
        rows = [self._run(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, len(self.labels)), np.float32)

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the softmax of the outputs, shape [texts, labels]; each row sums to 1."""
        return softmax(self.logits(texts))

    def answer(self, text: str) -> list[dict[str, Any]]:
        """Return every label with its probability in [0, 1], the likeliest first."""
        row = self.probabilities([text])[0]
        order = np.argsort(-row, kind="stable")
        return [{"label": self.labels[i], "probability": float(row[i])} for i in order]

    def _run(self, text: str) -> npt.NDArray[np.float32]:
        encoded = self._tokenizer.encode(text)
        columns = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        feed = {name: np.array([columns[name]], np.int64) for name in self._inputs}
        output: npt.NDArray[np.float32] = self._session.run(None, feed)[0][0]
        return output


@dataclass(frozen=True)
class Written:
    """A text: its tokens, and the log-probability of each and of the end after them.

    ``branches`` are the texts that were second best, cut off after the token (or the end) at which
    they differ. ``cache`` holds the prompt and all tokens but the last.
    """

    ids: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    branches: tuple[Written, ...] = ()
    cache: Cache = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether it came to its end; if not, its tokens were used up or it is a branch."""
        return len(self.scores) > len(self.ids)

    @property
    def probability(self) -> float:
        """The geometric mean of the probabilities."""
        return float(np.exp(np.mean(self.scores))) if self.scores else 0.0


class Generator:
    """Writes a commit's message: ``generation.json``, ``tokenizer.json`` and ONNX with a cache.

    ``generation.json`` says how the model is asked and when it has ended::

        {"prefix": "<|diff|>", "suffix": "<|message|>", "budget": 244, "max_new_tokens": 40,
         "end": [1], "types": ["feat", "fix"]}

    ``budget`` is what a diff may take of the prompt and ``max_new_tokens`` what an answer may
    take, in tokens; ``end`` holds token ids, and a token with a newline ends an answer too.

    The prompt is read at once and then one token at a time. A browser must do the same: a sum of
    floats depends on how many tokens are multiplied together.

    Args:
        folder: the exported model.
        file: the ONNX file to run, relative to ``folder``.
        threads: of onnxruntime; None leaves the choice to it.

    Raises:
        FileNotFoundError: a file of the export is missing.
    """

    def __init__(
        self, folder: str | Path, file: str = DEFAULT_FILE, threads: int | None = None
    ) -> None:
        folder = Path(folder)
        _look_for(folder, file)
        asked = json.loads((folder / "generation.json").read_text("utf-8"))
        self.prefix, self.suffix = str(asked["prefix"]), str(asked["suffix"])
        self.budget, self.max_new_tokens = int(asked["budget"]), int(asked["max_new_tokens"])
        self.end = [int(token) for token in asked["end"]]
        self.types = [str(name) for name in asked["types"]]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._session = _session(folder / file, threads)
        self._inputs = [node.name for node in self._session.get_inputs()]
        self._letter = self.encode("a")
        self._pieces: dict[int, str] = {}

    def prompt(self, diff: str) -> str:
        """Return what the model is given of a diff.

        Raises:
            ValueError: there is no file in the diff.
        """
        if __package__:
            from kit.prompts import render
        else:
            from prompts import render  # type: ignore[import-not-found, no-redef]

        body = render(diff, self.budget, lambda line: len(self.encode(line)))
        if not body:
            raise ValueError(
                "expected a unified diff, found no file in it: give what `git diff` prints"
            )
        return f"{self.prefix}{body}{self.suffix}"

    def greedy(self, diff: str) -> list[int]:
        """Return the likeliest token after each other, the lowest id where two are alike."""
        return list(self.write(self.encode(self.prompt(diff))).ids)

    def message(self, diff: str) -> str:
        """Return the greedy answer as text."""
        return self.decode(self.greedy(diff)).strip()

    def alternatives(self, diff: str, n: int = 1, constrained: bool = True) -> list[dict[str, Any]]:
        """Return up to ``n`` different answers, the greedy one first.

        The others leave it where the model was in the most doubt: where the probability of the
        second choice, times that of all before it, is highest. From there on they are greedy.

        Args:
            diff: unified diff.
            n: how many answers.
            constrained: write the subject of a Conventional Commit with one of the types.

        Returns:
            ``text`` and ``probability``: the geometric mean over the tokens and the end after
            them, so that long and short answers compare.
        """
        ids = self.encode(self.prompt(diff))
        first = self.write(ids, constrained)
        found = {self.decode(first.ids).strip(): first.probability}
        for branch in sorted(first.branches, key=lambda item: -sum(item.scores)):
            if len(found) >= n:
                break
            other = self._leave(first, branch, len(ids), constrained)
            found.setdefault(self.decode(other.ids).strip(), other.probability)
        return [{"text": text, "probability": found[text]} for text in found]

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text; no special token is put around it."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of token ids, special tokens left out."""
        text: str = self._tokenizer.decode(list(ids))
        return text

    def ends(self, token: int) -> bool:
        """Return whether an answer ends before this token."""
        return token in self.end or "\n" in self._tokenizer.decode([token])

    def start(self) -> Cache:
        """Return the empty cache: of the dimensions in the file only the numbers count."""
        shapes = [node.shape for node in self._session.get_inputs() if _cached(node.name)]
        sizes = [[1, *(size if isinstance(size, int) else 0 for size in s[1:])] for s in shapes]
        return [np.zeros(size, np.float32) for size in sizes]

    def read(self, ids: Sequence[int], cache: Cache) -> tuple[npt.NDArray[np.float32], Cache]:
        """Read tokens after a cache; return the logits [vocabulary] after the last, and the cache.

        Each part of the cache has the shape [1, key-value heads, tokens, width of a head].
        """
        before = cache[0].shape[2]
        columns = {
            "input_ids": list(ids),
            "attention_mask": [1] * (before + len(ids)),
            "position_ids": list(range(before, before + len(ids))),
        }
        parts = iter(cache)
        feed = {
            name: next(parts) if _cached(name) else np.array([columns[name]], np.int64)
            for name in self._inputs
        }
        logits, *after = self._session.run(None, feed)
        return logits[0, -1], after

    def write(self, prompt: Sequence[int], constrained: bool = False) -> Written:
        """Go on from a prompt greedily, until it ends or ``max_new_tokens`` are written.

        Raises:
            ValueError: no subject of a Conventional Commit has so few tokens.
        """
        least = missing("", self.types)
        if constrained and (least is None or least > self.max_new_tokens):
            raise ValueError(
                f"expected room for a type and a description, given {self.max_new_tokens} tokens "
                f"and {len(self.types)} types: change them in generation.json"
            )
        return self._go_on(Written(), *self.read(prompt, self.start()), constrained)

    def _leave(self, first: Written, branch: Written, before: int, constrained: bool) -> Written:
        """Go on from a branch. What the cache holds of the first answer up to there is its own."""
        if branch.ended or len(branch.ids) == self.max_new_tokens:
            return branch
        cache = [part[:, :, : before + len(branch.ids) - 1] for part in first.cache]
        return self._go_on(branch, *self.read(branch.ids[-1:], cache), constrained)

    def _go_on(
        self, begun: Written, logits: npt.NDArray[np.float32], cache: Cache, constrained: bool
    ) -> Written:
        written, branches = begun, []
        while True:
            written, *second = self._choices(written, logits, constrained)
            branches += second
            if written.ended or len(written.ids) == self.max_new_tokens:
                return replace(written, branches=tuple(branches), cache=cache)
            logits, cache = self.read(written.ids[-1:], cache)

    def _choices(
        self, written: Written, logits: npt.NDArray[np.float32], constrained: bool
    ) -> list[Written]:
        """Return the text with the best token after it, and with the second best of the first 64.

        A text that is complete ends where the likeliest token cannot be had: going on would fill
        it up with whatever still fits.
        """
        ids, scores = written.ids, _log_softmax(logits)
        text = self.decode(ids)
        may_end = not constrained or complete(text, self.types)
        found: dict[int, float] = {}
        for rank, token in enumerate(map(int, np.argsort(-logits, kind="stable"))):
            if len(found) > 1 or (found and rank >= NEAR):
                break
            if self.ends(token):
                if may_end:
                    found.setdefault(END, scores[token])
            elif not constrained or self._fits(text, len(ids), token):
                found[token] = scores[token]
            elif may_end and not rank:
                found[END] = scores[self.end].max()
        return [
            Written(ids if token == END else (*ids, token), (*written.scores, float(score)))
            for token, score in found.items()
        ]

    def _fits(self, text: str, count: int, token: int) -> bool:
        """Return whether a token adds to a text of ``count`` and leaves room to finish the subject.

        What is missing is counted in characters, each of which is a token, so that there is always
        a token that fits next.
        """
        if token not in self._pieces:
            # After a letter, because some tokenizers drop the space at the beginning of a text.
            self._pieces[token] = self.decode([*self._letter, token])[1:]
        piece = self._pieces[token]
        needed = missing(text + piece, self.types) if piece else None
        return needed is not None and needed < self.max_new_tokens - count


_UNFIT = re.compile(
    r"[\x00-\x1f\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufffd]"
)
_HEAD = r"(\([^() ]([^()]*[^() ])?\))?!?"
_AFTER_TYPE = (
    (re.compile(r""), 3),
    (re.compile(r"\("), 5),
    (re.compile(r"\([^() ]([^()]*[^() ])?"), 4),
    (re.compile(r"\([^() ][^()]* "), 5),
    (re.compile(_HEAD), 3),
    (re.compile(_HEAD + r":"), 2),
    (re.compile(_HEAD + r": "), 1),
    (re.compile(_HEAD + r": [^ ](.*[^ ])?"), 0),
    (re.compile(_HEAD + r": [^ ].* "), 1),
)


def missing(text: str, types: Sequence[str]) -> int | None:
    """Return how many characters at least turn the text into a subject, None where none do.

    A subject is ``type(scope)!: description`` of at most 100 characters (code points), scope and
    ``!`` being optional. A scope has no parentheses; neither it nor the description begins or
    ends with a space. Other blanks, control characters and what does not decode are refused.
    """
    if _UNFIT.search(text):
        return None
    needed = []
    for name in types:
        if name.startswith(text):
            needed.append(len(name) - len(text) + 3)
        elif text.startswith(name):
            rest = text[len(name) :]
            needed += [count for part, count in _AFTER_TYPE if part.fullmatch(rest)]
    fewest = min(needed, default=None)
    if fewest is None or len(text) + fewest > LONGEST_SUBJECT:
        return None
    return fewest


def viable(text: str, types: Sequence[str]) -> bool:
    """Return whether a Conventional Commit's subject can begin with the text.

    >>> viable("fix(par", ["feat", "fix"]), viable("fixed", ["feat", "fix"])
    (True, False)
    """
    return missing(text, types) is not None


def complete(text: str, types: Sequence[str]) -> bool:
    """Return whether the text is the subject of a Conventional Commit.

    >>> complete("fix: read it", ["fix"]), complete("fix: ", ["fix"])
    (True, False)
    """
    return missing(text, types) == 0


def softmax(logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return probabilities along the last axis, computed in double precision."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    exponents = np.exp(shifted)
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True))


def _log_softmax(logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def _look_for(folder: Path, file: str) -> None:
    if not (folder / file).is_file():
        raise FileNotFoundError(f"no {file} in {folder}")


def _session(path: Path, threads: int | None) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads:
        options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _cached(name: str) -> bool:
    return name.startswith("past_key_values.")


def _main(folder: str, given: str) -> str:
    """Answer a text, or for a generator the diff in a file, "-" being standard input."""
    if not Path(folder, "generation.json").is_file():
        return json.dumps(Classifier(folder).answer(given))
    read = sys.stdin.buffer.read() if given == "-" else Path(given).read_bytes()
    return json.dumps(Generator(folder).alternatives(read.decode("utf-8", "replace")))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit('usage: python inference.py FOLDER "text", or for a generator FOLDER FILE|-')
    try:
        print(_main(*sys.argv[1:]))
    except (OSError, ValueError) as error:
        sys.exit(str(error))
