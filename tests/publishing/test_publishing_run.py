"""A real run on the loopback Hub: published by its gates, checked by a stranger, taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kit.errors import GateError, HubError, InputError, RunError
from kit.hub.client import Hub
from kit.hub.rehearsal.accounts import Account
from kit.hub.rehearsal.serving import Hub as Server
from kit.publishing.gates import check_run
from kit.publishing.planning import make_plan
from kit.publishing.publishing import publish, undo
from kit.publishing.rehearsing import rehearse
from kit.publishing.showing import plan_lines, publication_lines
from kit.publishing.verifying import verify
from kit.records import PUBLICATION
from kit.runs import Run, publications
from tests.conftest import silent
from tests.publishing.small import patient, requests_of, without_pauses
from tests.test_gates import Finished, copied, untouched  # noqa: F401  a fixture

TOY = "ann/toy"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)


@pytest.fixture
def run(copied: Run, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> Run:  # noqa: F811
    """Return a finished run; where the toy base is too good to beat, that gate is left out."""
    refused = untouched(finished)
    monkeypatch.setattr(
        "kit.publishing.planning.check_run",
        lambda run: [verdict for verdict in check_run(run) if verdict.gate not in refused],
    )
    return copied


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """Return a Hub, not yet started, with the toy project's owner and someone else."""
    return Server(tmp_path / "hub", accounts=[Account("ann"), Account("bob")], xet=False)


def test_what_is_published_holds_for_a_stranger_and_can_be_taken_back(
    run: Run, server: Server
) -> None:
    with server:
        hub = Hub(server.url, server.token(), replace(patient(), timeout=60.0))
        record = publish(run, hub, silent)
        assert {repo.visibility for repo in record.repos} == {"public"}
        assert list(publication_lines(record))[-1].startswith("tag kit-")

        claims = verify(TOY, silent, Hub(server.url, None))
        assert [claim for claim in claims if not claim.held] == []
        assert {"numbers of the card", "weights are those that were evaluated"} <= {
            claim.what for claim in claims
        }

        seen = len(server.requests)
        assert make_plan(run, hub).steps == ()
        assert publish(run, hub, silent) == record
        assert {method for method, _ in requests_of(server.requests[seen:])} == {"GET"}

        accepted = run.recipe.folder / "results" / PUBLICATION
        record.save(accepted)
        undo(run, hub, silent)
        assert list(server.rehearsal.storage) == []
        assert not accepted.exists()  # or the site would link what is gone
        with pytest.raises(RunError, match="found none to undo"):
            undo(run, hub, silent)


def test_a_number_changed_by_hand_and_a_file_of_other_bytes_do_not_hold(
    run: Run, server: Server
) -> None:
    with server:
        hub = Hub(server.url, server.token(), replace(patient(), timeout=60.0))
        publish(run, hub, silent)
        card = (run.folder / "assembly" / "model" / "README.md").read_text()
        ledger = json.loads((run.folder / "pages.json").read_text())["ledger"]
        number = next(entry["text"] for entry in ledger if entry["page"] == "model-card.md")
        for name, content in (("README.md", card.replace(number, "123456")), ("config.json", "{}")):
            hub._api.upload_file(path_or_fileobj=content.encode(), path_in_repo=name, repo_id=TOY)
        claims = verify(TOY, silent, Hub(server.url, None))
        assert {claim.what for claim in claims if not claim.held} == {
            "the card is the one that was written",
            "numbers of the card",
            "exported files are those that were measured",
        }


def test_a_model_that_kit_did_not_publish_is_said_to_be_one(server: Server) -> None:
    with server:
        hub = Hub(server.url, server.token())
        hub._api.create_repo("ann/plain")
        hub._api.create_repo("ann/rows", repo_type="dataset")
        hub._api.upload_file(
            path_or_fileobj=b"---\ndatasets:\n- ann/rows\n---\n",
            path_in_repo="README.md",
            repo_id="ann/plain",
        )
        with pytest.raises(InputError, match="not published by kit"):
            verify("ann/plain", silent, Hub(server.url, None))
        with pytest.raises(HubError, match="there is no model ann/none"):
            verify("ann/none", silent, Hub(server.url, None))


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (lambda server: server.token("ann", "read"), "may not write there"),
        (lambda server: server.token("bob"), "may not write there"),
        (lambda server: server.token("ann", scopes=["ann/other"]), "may not write there"),
    ],
    ids=["read-only", "of someone else", "for another repo"],
)
def test_a_token_without_the_right_is_refused_before_anything_is_sent(
    run: Run, server: Server, token: object, said: str
) -> None:
    assert callable(token)
    with server:
        hub = Hub(server.url, token(server))
        with pytest.raises(GateError, match=said):
            publish(run, hub, silent)
        assert {method for method, _ in requests_of(server.requests)} == {"GET"}
        assert not (
            publications(run.project, run.recipe.name, hub.endpoint) / "journal-0001.jsonl"
        ).exists()


def test_no_token_and_a_wrong_one_are_one_line(run: Run, server: Server) -> None:
    with server:
        with pytest.raises(HubError, match="found none; `hf auth login`"):
            make_plan(run, Hub(server.url, None))
        with pytest.raises(HubError, match="not valid here"):
            make_plan(run, Hub(server.url, "hf_" + "wrong" * 6))


def test_no_hub_is_one_line(run: Run) -> None:
    with pytest.raises(HubError, match="check the network"):
        make_plan(run, Hub("http://127.0.0.1:9", "hf_" + "none" * 6, patient()))


def test_a_refused_gate_is_in_the_plan_and_keeps_everything_here(run: Run, server: Server) -> None:
    (run.folder / "pages" / "post.md").write_text("by hand")
    with server:
        hub = Hub(server.url, server.token())
        lines = "\n".join(plan_lines(make_plan(run, hub)))
        assert "FAIL pages" in lines
        assert "in the way: gate pages" in lines
        with pytest.raises(GateError, match=r"nothing was sent: gate pages.*differs"):
            publish(run, hub, silent)


def test_a_link_out_of_the_folder_is_refused(run: Run, server: Server, tmp_path: Path) -> None:
    path = run.folder / "assembly" / "model" / "config.json"
    (tmp_path / "secret.json").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(tmp_path / "secret.json")
    with server:
        plan = make_plan(run, Hub(server.url, server.token()))
        assert any("config.json is a link to" in problem for problem in plan.problems)


def test_a_paid_space_on_a_free_account_is_in_the_plan(run: Run, server: Server) -> None:
    path = run.folder / "assembly.json"
    path.write_text(path.read_text().replace('"space_sdk": "static"', '"space_sdk": "cpu"'))
    with server:
        plan = make_plan(run, Hub(server.url, server.token()))
        assert any("answers 402" in problem for problem in plan.problems)


def test_a_rehearsal_tries_everything_as_strangers_do(run: Run) -> None:
    report = rehearse(run, silent)
    assert [finding for finding in report.findings if finding.held is False] == []
    assert [finding.what.split()[0] for finding in report.findings] == [
        *("download", "download", "download", "snippets", "snippets", "open")
    ]
    assert not publications(run.project, run.recipe.name, report.publication.endpoint).exists()
