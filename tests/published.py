"""What a publication on the public Hub leaves, for tests of what is built from it."""

from __future__ import annotations

from kit.records import PublicationRecord, PublishedRepo

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def published(model_id: str) -> PublicationRecord:
    """Return the record of a model repo, ``ann/toy``, with these exported files."""
    repo = PublishedRepo(
        repo_type="model",
        repo_id="ann/toy",
        url="https://huggingface.co/ann/toy",
        commit=COMMIT,
        before=None,
        visibility="public",
    )
    return PublicationRecord(
        inputs="-",
        endpoint="https://huggingface.co",
        tag="t",
        assembly="a",
        model_id=model_id,
        repos=(repo,),
        journal="j",
    )
