"""An endpoint's answers on the run's test rows: a server on loopback answers them, or fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kit.errors import EndpointError, InputError
from kit.pipeline import run_stages
from kit.runs import Run
from kit.tasks.text_generation.endpoint import KEY, open_endpoint
from kit.tasks.text_generation.loading import INSTRUCTION
from tests import tiny, tiny_commits
from tests.asking import ask
from tests.conftest import silent, toy_run

SECRET = "sk-loopback-0123456789"
Answer = tuple[int, dict[str, str], bytes]


class Quiet(ThreadingHTTPServer):
    """A server to which a client that hangs up is no fault."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


class Server:
    """An OpenAI-compatible server: ``answers`` are given in turn, then ``otherwise`` for good."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.paths: list[str] = []
        self.answers: list[Answer] = []
        self.otherwise: Callable[[], Answer] = said("fix(cache): close the cache")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                outer.asked.append(json.loads(self.rfile.read(length)))
                outer.keys.append(self.headers["authorization"])
                outer.paths.append(self.path)
                code, headers, body = outer.answers.pop(0) if outer.answers else outer.otherwise()
                self.send_response(code)
                for name, value in {"content-length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"


def said(text: str) -> Callable[[], Answer]:
    """Return what makes a chat completion of a text."""
    document = {
        "model": "tiny-2026",
        "choices": [{"message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 50, "completion_tokens": 7},
    }
    return lambda: (200, {}, json.dumps(document).encode())


def failed(code: int, body: str = "", **headers: str) -> Answer:
    return code, {name.replace("_", "-"): value for name, value in headers.items()}, body.encode()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return an evaluated toy run; tests only add to its ``evaluations``."""
    found = toy_run(tiny_commits.project(tmp_path_factory.mktemp("endpoint") / "project"))
    for _ in run_stages(found, silent, last="evaluate"):
        pass
    return found


def evaluations(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run.folder / "evaluations").glob("*")}


def ask_kit(run: Run, server: Server, model: str, *more: str) -> Any:
    words = ("--endpoint", server.url, "--endpoint-model", model, *more)
    return ask(run.project.root, "evaluate", "toy", *words)


def test_an_endpoint_is_scored_on_the_same_rows_beside_the_run(run: Run, server: Server) -> None:
    before = (run.folder / "evaluation.json").read_bytes()
    document = ask_kit(run, server, "Tiny/One", "--json").document
    own = json.loads(before)
    assert (run.folder / "evaluation.json").read_bytes() == before
    assert document["n"] == own["n"] == len(server.asked)
    assert set(document["systems"]) == {*own["systems"], "endpoint"}
    assert set(document["systems"]["endpoint"]) == set(document["systems"]["rules"])
    assert document["systems"]["tuned"] == own["systems"]["tuned"]
    assert document["systems"]["endpoint"]["format_validity"]["value"] == 1.0
    compared = {c["metric"] for c in document["comparisons"] if c["b"] == "endpoint"}
    assert compared == {"format_validity", "type_accuracy", "chrf", "bleu"}
    (file,) = (run.folder / "evaluations").glob("endpoint-tiny-one-*.json")
    assert json.loads(file.read_text()) == document
    assert len(file.with_suffix(".jsonl").read_text().splitlines()) == own["n"]
    table = ask_kit(run, server, "Tiny/One").out
    assert "endpoint " in table
    assert f"record       runs/toy/{run.folder.name}/evaluations/{file.name}" in table


def test_a_chat_model_is_asked_the_rendered_diff_after_one_instruction(
    run: Run, server: Server
) -> None:
    document = ask_kit(run, server, "two", "--json").document
    first = server.asked[0]
    assert server.paths[0] == "/v1/chat/completions"
    assert (first["model"], first["temperature"], first["max_tokens"]) == ("two", 0.0, 256)
    (turn,) = first["messages"]
    assert turn["role"] == "user"
    assert turn["content"].startswith(INSTRUCTION + "M ")
    endpoint = document["endpoint"]
    assert endpoint["url"] == f"{server.url}/chat/completions"
    assert endpoint["answered_as"] == ["tiny-2026"]
    assert endpoint["prompt_tokens"] == 50 * document["n"]
    assert set(server.keys) == {None}


def test_the_key_goes_into_one_header_and_nowhere_else(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    answered = ask_kit(run, server, "three", "--json")
    assert set(server.keys) == {f"Bearer {SECRET}"}
    server.otherwise = lambda: failed(400, f"bad request with {SECRET}")
    refused = ask_kit(run, server, "three")
    assert "400 'bad request with …'" in refused.fault
    for text in (answered.out, answered.err, refused.err):
        assert SECRET not in text
    for path in run.folder.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()
    assert SECRET not in repr(open_endpoint(server.url, "three"))


REFUSALS = {
    "key": (failed(401, "who are you"), f"401; put a key into {KEY}"),
    "path": (failed(404, "no such model"), "404 'no such model'"),
    "redirect": (failed(307, location="http://127.0.0.1:9/"), "got 307"),
    "html": (failed(200, "<html>hello"), "no chat completion: '<html>hello'"),
    "shape": (failed(200, '{"choices": []}'), "no chat completion"),
    "list": (failed(200, "[]"), "no chat completion"),
    "null": (failed(200, '{"choices": [{"message": {"content": null}}]}'), "no chat completion"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_an_answer_that_cannot_be_used_is_one_line(run: Run, server: Server, kind: str) -> None:
    answer, wanted = REFUSALS[kind]
    before = evaluations(run)
    server.otherwise = lambda: answer
    said = ask_kit(run, server, f"refusing-{kind}").fault
    assert f"at {server.url}/chat/completions, got" in said
    assert wanted in said
    assert len(server.asked) == 1
    assert {name for name in evaluations(run) if name.endswith(".json")} <= set(before)


def test_a_busy_endpoint_is_asked_again_and_then_answers(server: Server) -> None:
    server.answers = [failed(429, retry_after="0"), failed(503, retry_after="0")]
    found = open_endpoint(server.url, "busy", pause=60).ask("a question")
    assert (found.text, found.answer_tokens) == ("fix(cache): close the cache", 7)
    assert len(server.asked) == 3


def test_the_pause_doubles_and_asking_ends(server: Server) -> None:
    server.otherwise = lambda: failed(429, "slow down")
    endpoint = open_endpoint(server.url, "busy", pause=0.001)
    with pytest.raises(EndpointError, match="429 'slow down', 5 times; ask again later"):
        endpoint.ask("a question")
    assert len(server.asked) == 5


def test_an_endpoint_that_says_nothing_is_given_up(server: Server) -> None:
    waiting = threading.Event()

    def never() -> Answer:
        waiting.wait(10)
        return failed(200)

    server.otherwise = never
    with pytest.raises(EndpointError, match=r"no answer in 0\.05 s, 5 times"):
        open_endpoint(server.url, "slow", timeout=0.05, pause=0.001).ask("a question")
    waiting.set()


def test_nobody_at_the_address_is_one_line(run: Run, server: Server) -> None:
    server.url = "http://127.0.0.1:9/v1"
    assert "got nobody (ConnectError" in ask_kit(run, server, "five").fault


def test_an_asking_that_was_cut_off_goes_on(run: Run, server: Server) -> None:
    good = said("docs: explain")
    server.answers = [good(), good(), good()]
    server.otherwise = lambda: failed(401)
    ask_kit(run, server, "six")
    (part,) = (run.folder / "evaluations").glob("endpoint-six-*.part.jsonl")
    part.write_text(part.read_text() + '{"asked": "cut')
    server.asked.clear()
    server.otherwise = good
    document = ask_kit(run, server, "six", "--json").document
    assert len(server.asked) == document["n"] - 3
    assert not part.exists()
    server.asked.clear()
    ask_kit(run, server, "six")
    assert len(server.asked) == document["n"]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("127.0.0.1:8080/v1", r"expected --endpoint http\(s\)://HOST/v1"),
        ("ftp://host/v1", r"expected --endpoint http\(s\)://HOST/v1"),
        ("https://ann:pass@[host/v1", "got no address"),
        ("https://ann:pass@host/v1", "without user, password"),
        ("https://host/v1?api-key=abc", f"put the key into {KEY}"),
        ("http://example.org/v1", "expected https for example.org"),
    ],
)
def test_an_address_that_would_give_a_secret_away_is_refused(
    url: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    with pytest.raises(InputError, match=wanted) as refused:
        open_endpoint(url, "model")
    assert "pass@" not in str(refused.value)
    assert "abc" not in str(refused.value)


def test_half_of_the_options_is_wrong_usage(run: Run) -> None:
    root = run.project.root
    assert ask(root, "evaluate", "toy", "--endpoint", "http://127.0.0.1/v1").code == 2
    assert ask(root, "evaluate", "toy", "--endpoint-model", "one").code == 2
    both = ("--endpoint", "http://127.0.0.1/v1", "--endpoint-model", "one", "--on", "a.jsonl")
    assert ask(root, "evaluate", "toy", *both).code == 2


def test_a_classifier_has_no_endpoint(tmp_path: Path, server: Server) -> None:
    found = toy_run(tiny.project(tmp_path / "project"))
    found.folder.mkdir(parents=True)
    (found.folder / "evaluation.json").write_text("{}")
    assert "name a recipe of text_generation" in ask_kit(found, server, "one").fault
