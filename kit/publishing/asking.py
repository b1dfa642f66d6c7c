"""Ask a Space that runs, and compare its answer with the one measured here.

A Gradio Space is asked the recipe's first sample through its named endpoint. A static Space answers
in its reader's browser: what can be asked of its server is whether it serves the page's files. The
rehearsal opens it in a browser.
"""

from __future__ import annotations

from typing import Any

from kit.errors import HubError, PassingHubError
from kit.hub.client import Hub
from kit.hub.remote import Repo
from kit.records import AssemblyRecord, ExportRecord
from kit.runs import Run

ASKED = "demo.json"
"""What a static Space is asked for: the Hub may add to a page, not to this."""


def ask_space(run: Run, hub: Hub, space: Repo) -> None:
    """Ask a running Space.

    Raises:
        HubError: it answers something else, or serves other files.
        PassingHubError: it did not answer.
    """
    address = hub.address(space)
    if address is None:
        return
    there = hub.look(space)
    private = there is not None and there.private
    if AssemblyRecord.load(run.folder / "assembly.json").space_sdk == "static":
        _ask_static(run, hub, space, address, private)
        return
    samples = ExportRecord.load(run.folder / "export.json").samples
    if not samples:
        return
    sample = samples[0]
    # A public app is asked as strangers ask it: it need not see anybody's token.
    said = ask_gradio(address, hub.token if private else None, sample.text)
    if said != sample.predicted:
        raise HubError(
            f"{space} answers {said!r} where the measured file answers {sample.predicted!r}; "
            "does it run the files that were pushed?"
        )


def ask_gradio(address: str, token: str | None, text: str) -> str:
    """Return what a Gradio app answers through its first named endpoint: a label, or a line.

    Raises:
        PassingHubError: the app did not answer.
    """
    from gradio_client import Client

    try:
        client = Client(address, token=token, verbose=False)
        names = list(client.view_api(return_format="dict", print_info=False)["named_endpoints"])
        found = client.predict(text, api_name=names[0])
    except Exception as error:
        raise PassingHubError(
            f"the app at {address} did not answer ({type(error).__name__}); look at its log"
        ) from error
    return _first(found)


def _first(found: Any) -> str:
    if isinstance(found, dict):
        return str(found.get("label"))
    lines = str(found).splitlines()
    return lines[0] if lines else ""


def _ask_static(run: Run, hub: Hub, space: Repo, address: str, private: bool) -> None:
    served = hub.get(f"{address.rstrip('/')}/{ASKED}", private)
    if served is not None and served != (run.folder / "assembly" / "space" / ASKED).read_bytes():
        raise HubError(f"{space} serves another {ASKED} than was pushed; look at its page")
