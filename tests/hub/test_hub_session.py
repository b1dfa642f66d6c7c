"""The scripted session: the real client publishes, changes and reads, over both transports."""

from __future__ import annotations

import pytest

from kit.hub.rehearsal.serving import Hub
from tests.hub.talking import Client

PUBLISH = """
folder = Path("toy"); (folder / "onnx").mkdir(parents=True)
card = ["---", "license: mit", "pipeline_tag: text-classification", "---", "# Toy"]
(folder / "README.md").write_text("\\n".join(card))
(folder / "model.safetensors").write_bytes(os.urandom(1_700_000) + bytes(1_700_000))
(folder / "onnx" / "config.json").write_text("{}")
(folder / "empty").touch()
facts["url"] = str(api.create_repo("ada/toy", private=True))
facts["again"] = str(api.create_repo("ada/toy", exist_ok=True))
first = api.upload_folder(repo_id="ada/toy", folder_path=folder)
before = api.list_repo_commits("ada/toy")
second = api.upload_folder(repo_id="ada/toy", folder_path=folder)
facts["same"] = first.oid == second.oid and len(before) == len(api.list_repo_commits("ada/toy"))
copy = Path(snapshot_download("ada/toy"))
facts["identical"] = all(
    (copy / path.relative_to(folder)).read_bytes() == path.read_bytes()
    for path in folder.rglob("*") if path.is_file()
)
one = hf_hub_download("ada/toy", "model.safetensors", cache_dir="other")
facts["one"] = Path(one).read_bytes() == (folder / "model.safetensors").read_bytes()
info = api.model_info("ada/toy", files_metadata=True)
facts["info"] = [info.private, info.pipeline_tag, info.card_data.license, info.sha == first.oid]
facts["lfs"] = [s.rfilename for s in info.siblings if s.lfs]
facts["range"] = api.repo_exists("ada/toy")
"""


@pytest.mark.parametrize("xet", [True, False])
def test_a_folder_is_published_once_and_comes_back_the_same(
    hub: Hub, client: Client, xet: bool
) -> None:
    facts = client(hub, PUBLISH, xet=xet)
    assert facts["url"] == facts["again"] == f"{hub.url}/ada/toy"
    assert facts["same"]
    assert facts["identical"]
    assert facts["one"]
    assert facts["info"] == [True, "text-classification", "mit", True]
    assert facts["lfs"] == ["model.safetensors"]
    sent = [entry for entry in hub.requests if entry.received > 100_000]
    if xet:
        assert [entry.path[:16] for entry in sent] == ["/xet/v1/xorbs/de"]
    else:
        # 3.4 MB in parts of one, each to an address of its own.
        assert [entry.method for entry in sent] == ["PUT"] * 4
    assert all(entry.status and entry.status < 500 for entry in hub.requests)


CHANGES = """
api.create_repo("ada/toy")
def commit(title, operation, **kwargs):
    return api.create_commit("ada/toy", [operation], commit_message=title, **kwargs)
def add(path, data, **kwargs):
    return commit(path, CommitOperationAdd(path, data), **kwargs)
head = add("weights.bin", os.urandom(5000)).oid
facts["stale"] = refusal(add, "b.txt", b"b", parent_commit="0" * 40)
facts["fresh"] = refusal(add, "b.txt", b"b", parent_commit=head)
commit("copy", CommitOperationCopy("weights.bin", "copy.bin"))
commit("delete", CommitOperationDelete("b.txt"))
facts["files"] = api.list_repo_files("ada/toy")
pull = add("c.txt", b"c", create_pr=True)
facts["pull"] = [pull.pr_num, pull.pr_revision, api.file_exists("ada/toy", "c.txt")]
facts["there"] = api.file_exists("ada/toy", "c.txt", revision="refs/pr/1")
api.merge_pull_request("ada/toy", 1)
details = api.get_discussion_details("ada/toy", 1)
facts["merged"] = [details.status, details.merge_commit_oid == api.model_info("ada/toy").sha]
draft = api.create_pull_request("ada/toy", "draft")
facts["draft"] = [draft.status, refusal(api.merge_pull_request, "ada/toy", draft.num)]
api.change_discussion_status("ada/toy", draft.num, "open")
add("d.txt", b"d", revision="refs/pr/2")
api.merge_pull_request("ada/toy", draft.num)
Path("many").mkdir(); Path("many/e.txt").write_text("e")
third = api.upload_folder(repo_id="ada/toy", folder_path="many", create_pr=True)
facts["third"] = third.pr_revision
api.create_tag("ada/toy", tag="v1")
facts["tagged"] = refusal(api.create_tag, "ada/toy", tag="v1")
api.create_branch("ada/toy", branch="exp/a"); add("x.txt", b"x", revision="exp/a")
refs = api.list_repo_refs("ada/toy", include_pull_requests=True)
kinds = (refs.branches, refs.tags, refs.pull_requests)
facts["refs"] = [[ref.name for ref in kind] for kind in kinds]
facts["titles"] = [commit.title for commit in api.list_repo_commits("ada/toy")]
touched = {f.path: f.last_commit.title for f in api.list_repo_tree("ada/toy", expand=True)}
facts["touched"] = [touched["copy.bin"], touched["d.txt"]]
facts["paths"] = [f.path for f in api.get_paths_info("ada/toy", ["copy.bin", "no.txt"])]
facts["missing"] = refusal(api.model_info, "ada/toy", revision="nope")
api.delete_tag("ada/toy", tag="v1"); api.delete_branch("ada/toy", branch="exp/a")
api.move_repo("ada/toy", "ada/moved")
facts["moved"] = [api.repo_exists("ada/toy"), api.repo_exists("ada/moved")]
api.update_repo_settings("ada/moved", private=True)
facts["private"] = api.model_info("ada/moved").private
api.delete_repo("ada/moved"); api.delete_repo("ada/moved", missing_ok=True)
"""


def test_branches_tags_pull_requests_and_removal(hub: Hub, client: Client) -> None:
    facts = client(hub, CHANGES)
    assert facts["stale"] == ["HfHubHTTPError", 412]
    assert facts["fresh"] is None
    assert facts["files"] == [".gitattributes", "copy.bin", "weights.bin"]
    assert facts["pull"] == [1, "refs/pr/1", False]
    assert facts["there"] is True
    assert facts["merged"] == ["merged", True]
    assert facts["draft"] == ["draft", ["HfHubHTTPError", 409]]
    assert facts["third"] == "refs/pr/3"
    assert facts["tagged"] == ["HfHubHTTPError", 409]
    assert facts["refs"] == [["main", "exp/a"], ["v1"], ["1", "2", "3"]]
    assert facts["titles"][:2] == ["draft (#2)", "c.txt (#1)"]
    assert facts["touched"] == ["copy", "draft (#2)"]
    assert facts["paths"] == ["copy.bin"]
    assert facts["missing"] == ["RevisionNotFoundError", 404]
    assert facts["moved"] == [False, True]
    assert facts["private"] is True


COLLECT = """
api.create_repo("ada/toy"); api.create_repo("ada/rows", repo_type="dataset")
made = api.create_collection("A tutorial", description="all of it")
facts["slug"] = made.slug == api.create_collection("A tutorial", exists_ok=True).slug
api.add_collection_item(made.slug, "ada/toy", "model", note="the model")
api.add_collection_item(made.slug, "ada/toy", "model", exists_ok=True)
made = api.add_collection_item(made.slug, "ada/rows", "dataset")
facts["items"] = [[item.item_id, item.item_type, item.note] for item in made.items]
facts["missing"] = refusal(api.add_collection_item, made.slug, "ada/none", "model")
api.update_collection_item(made.slug, made.items[1].item_object_id, position=0)
facts["title"] = api.update_collection_metadata(made.slug, title="Other").title
api.delete_collection_item(made.slug, made.items[0].item_object_id)
facts["left"] = [item.item_id for item in api.get_collection(made.slug).items]
facts["listed"] = len(list(api.list_collections(owner="ada")))
api.delete_collection(made.slug)
facts["dataset"] = ModelCard("---\\nlicense: mit\\n---\\n").validate() is None
try:
    ModelCard("---\\nlicense: my-own\\n---\\n").validate()
except ValueError as error:
    facts["card"] = "license" in str(error)
"""


def test_collections_and_card_validation(hub: Hub, client: Client) -> None:
    facts = client(hub, COLLECT)
    assert facts["slug"]
    assert facts["items"] == [["ada/toy", "model", "the model"], ["ada/rows", "dataset", None]]
    assert facts["missing"] == ["RepositoryNotFoundError", 404]
    assert facts["title"] == "Other"
    assert facts["left"] == ["ada/rows"]
    assert facts["listed"] == 1
    assert facts["dataset"]
    assert facts["card"]
