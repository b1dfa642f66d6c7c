"""The command line: what a person types, each command a few lines that hand over to the rest.

Nothing heavy is imported before a command needs it: ``kit --help`` answers at once.
Results go to stdout, progress and notices to stderr; ``--json`` prints one JSON document.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kit import __version__

if TYPE_CHECKING:
    from kit.project import Project
    from kit.runs import Run

Command = Callable[..., Any]

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
STAGE_NAMES = ("data", "train", "evaluate", "export", "write", "assemble")


def settings(command: Command) -> Command:
    """Add the options that choose a run: preset, overrides, data, base."""
    options = [
        click.option("--preset", help="A named size of the recipe; the default one if left out."),
        click.option(
            "--set",
            "assignments",
            multiple=True,
            metavar="NAME=VALUE",
            help="Override a setting, such as training.epochs=2. May be repeated.",
        ),
        click.option("--seed", type=int, help="Short for --set training.seed=N."),
        click.option("--data", help="Rows to use instead: JSONL, CSV, Parquet; .gz too."),
        click.option(
            "--repo",
            "repos",
            multiple=True,
            metavar="PATH",
            help="A local git history to use instead. May be repeated.",
        ),
        click.option("--test-data", help="Rows to test on; the rest is not split for testing."),
        click.option("--text-column", help="The column that holds the text."),
        click.option("--label-column", help="The column that holds the label."),
        click.option("--license", "license_id", help="The license of --data, a Hub id."),
        click.option("--base", help="A base model: a folder, or OWNER/NAME on the Hub."),
        click.option("--preferences", help="Pairs for dpo: JSONL of prompt, chosen, rejected."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kit")
def kit() -> None:
    """From data and a small model to a published tutorial that a reader can trust and try."""


@kit.command()
@click.argument("folder", metavar="DIR")
@click.option("--owner", default="you", show_default=True, help="Your account on the Hub.")
@as_json
def init(folder: str, owner: str, as_json: bool) -> None:
    """Make a folder for recipes: kit.toml, mkdocs.yml, a home page."""
    from kit.starting import start_project

    paths = [path.as_posix() for path in start_project(Path(folder).expanduser(), owner)]
    _print(paths, paths, as_json)


@kit.command()
@click.argument("name")
@click.option(
    "--task",
    type=click.Choice(["text_classification", "text_generation"]),
    default="text_classification",
    show_default=True,
    help="Labels for texts, or commit messages for diffs.",
)
@click.option("--data", help="Rows to copy: JSONL, CSV, Parquet; made-up ones if not.")
@click.option("--text-column", help="What holds the text or diff.  [default: text, diff]")
@click.option("--label-column", help="What holds the answer.  [default: label, message]")
@click.option("--license", "license_id", help="The license of --data, a Hub id.")
@as_json
def new(
    name: str,
    task: str,
    data: str | None,
    text_column: str | None,
    label_column: str | None,
    license_id: str | None,
    as_json: bool,
) -> None:
    """Write a recipe that runs: recipe.py, brief.md, prose, data, the Space's files."""
    from kit.starting import start_recipe

    project = _project()
    named = {"text": text_column, "label": label_column}
    columns = {field: column for field, column in named.items() if column}
    file = Path(data).expanduser() if data else None
    made = start_recipe(project, name, task, file, columns, license_id)
    paths = [path.relative_to(project.root).as_posix() for path in made]
    _print(paths, paths, as_json)


@kit.command()
@as_json
def recipes(as_json: bool) -> None:
    """List the recipes of this project."""
    from kit.recipe import find_recipe, recipe_names

    project = _project()
    found = [find_recipe(project.root, name) for name in recipe_names(project.root)]
    rows = [
        {"name": r.name, "task": r.task.kind, "presets": list(r.presets), "title": r.title}
        for r in found
    ]
    lines = [
        f"{r['name']:18} {r['task']:22} {', '.join(r['presets']):16} {r['title']}" for r in rows
    ]
    _print(rows, lines, as_json)


@kit.command()
@as_json
def briefs(as_json: bool) -> None:
    """List the idea cards by composite score; what is unclear in them goes to stderr."""
    from kit.brief.board import board, board_lines

    rows, warnings = board(_project().root)
    for warning in warnings:
        click.echo(f"kit: {warning}", err=True)
    _print(rows, board_lines(rows), as_json)


@kit.command()
@click.argument("name")
@click.option("--counts", required=True, metavar="FILE", help="CSV or JSONL: title, views, clicks.")
@click.option(
    "--power",
    default=0.8,
    show_default=True,
    type=click.FloatRange(0.5, 0.999),
    help="The chance that a test after the further views finds the difference.",
)
@as_json
def titles(name: str, counts: str, power: float, as_json: bool) -> None:
    """Say which title of a card wins, how surely, and how many views are lacking."""
    from kit.evaluation.titles import title_report

    _print(*title_report(_project().root, name, Path(counts), power), as_json)


@kit.command()
@click.argument("name", required=False)
@as_json
def runs(name: str | None, as_json: bool) -> None:
    """List the runs that stand in runs/, and how far each came."""
    from kit.reporting import run_rows

    rows = run_rows(_project(), name)
    lines = [
        f"{row['folder']:44} {', '.join(row['finished']) or 'nothing finished'}" for row in rows
    ]
    _print(rows, lines or ["no runs yet; `kit run NAME` makes one"], as_json)


@kit.command()
@click.argument("name")
@settings
@click.option("--from", "first", help="Start at this stage, and run it again.")
@click.option("--to", "last", default="assemble", help="Stop after this stage.")
@as_json
def run(name: str, first: str | None, last: str, as_json: bool, **chosen: Any) -> None:
    """Run a recipe: every stage that is not fresh."""
    from kit.reporting import report_run

    report_run(_run(name, **chosen), first, last, as_json)


def _stage_command(stage: str, help_text: str) -> None:
    @kit.command(stage, help=help_text)
    @click.argument("name")
    @settings
    @as_json
    def command(name: str, as_json: bool, **chosen: Any) -> None:
        from kit.reporting import report_run

        report_run(_run(name, **chosen), stage, stage, as_json)


for _name, _help in (
    ("data", "Clean, audit and split the data."),
    ("train", "Fine-tune the base model."),
    ("export", "Write ONNX files and measure their parity."),
    ("write", "Render card, post and figures."),
    ("assemble", "Lay out the repo folders to push."),
):
    _stage_command(_name, _help)


@kit.command()
@click.argument("name")
@settings
@click.option("--on", help="An outside test set instead of the run's own test split.")
@click.option("--endpoint", metavar="URL", help="Ask an OpenAI-compatible server too, http…/v1.")
@click.option("--endpoint-model", metavar="NAME", help="The model to ask for there.")
@as_json
def evaluate(
    name: str,
    on: str | None,
    endpoint: str | None,
    endpoint_model: str | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Put every system on the same rows: the test split, or an outside file.

    An endpoint's key is read from the environment variable KIT_ENDPOINT_KEY.
    """
    from kit.reporting import report_endpoint, report_outside, report_run

    if bool(endpoint) != bool(endpoint_model) or (endpoint and on):
        raise click.UsageError("expected --endpoint URL with --endpoint-model NAME, without --on")
    if endpoint and endpoint_model:
        run = _finished(name, "evaluation.json", chosen)
        report_endpoint(run, endpoint, endpoint_model, as_json)
    elif on is None:
        report_run(_run(name, **chosen), "evaluate", "evaluate", as_json)
    else:
        columns = (chosen.pop("text_column"), chosen.pop("label_column"))
        report_outside(_finished(name, "checkpoint.json", chosen), Path(on), columns, as_json)


@kit.command()
@click.argument("name")
@click.argument("text", required=False)
@click.option("--input", "file", help="A file: a diff, or one text per line.")
@click.option("--n", type=click.IntRange(min=1), help="Alternatives of a message, or labels shown.")
@settings
@as_json
def predict(
    name: str, text: str | None, file: str | None, n: int | None, as_json: bool, **chosen: Any
) -> None:
    """Answer a text or a diff ("-" reads stdin) with the exported int8 model, without torch."""
    from kit.reporting import read_texts, report_answers

    found = _finished(name, "export.json", chosen)
    report_answers(found, read_texts(found, text, file), n, as_json)


@kit.command()
@click.argument("name")
@click.option("--port", default=7860, show_default=True)
@settings
@as_json
def demo(name: str, port: int, as_json: bool, **chosen: Any) -> None:
    """Serve the assembled Gradio Space on this machine."""
    from kit.spaces.serving import serve_space

    folder = _finished(name, "assembly.json", chosen).folder / "assembly" / "gradio"
    serve_space(folder, port, partial(_print, as_json=as_json))


@kit.command()
@click.argument("name")
@settings
@as_json
def check(name: str, as_json: bool, **chosen: Any) -> None:
    """Gates: license, personal data, secrets, numbers, card data, parity."""
    from kit.publishing.gates import check_run
    from kit.reporting import report_verdicts

    report_verdicts(check_run(_finished(name, "assembly.json", chosen)), as_json)


@kit.command()
@click.argument("name")
@settings
@as_json
def accept(name: str, as_json: bool, **chosen: Any) -> None:
    """Make a run's records the committed results of its recipe."""
    from kit.pipeline import accept as accept_run

    project = _project()
    written = accept_run(_finished(name, "assembly.json", chosen))
    paths = [path.relative_to(project.root).as_posix() for path in written]
    _print(paths, paths, as_json)


@kit.command()
@click.argument("name")
@click.option("--out", metavar="FILE", help="Where the zip goes, instead of build/bundles/.")
@settings
@as_json
def bundle(name: str, out: str | None, as_json: bool, **chosen: Any) -> None:
    """Zip what trains the model again without kit: script, notebook, data, licences."""
    from kit.reporting import report_bundle

    report_bundle(_finished(name, "pages.json", chosen), out, as_json)


@kit.command()
@click.argument("name")
@click.option("--apply", "action", flag_value="apply", help="Do it, and make it public.")
@click.option("--rehearse", "action", flag_value="rehearse", help="Do it on a Hub made here.")
@click.option("--undo", "action", flag_value="undo", help="Back to what was there before.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before --undo.")
@settings
@as_json
def publish(name: str, action: str | None, yes: bool, as_json: bool, **chosen: Any) -> None:
    """Print what publishing would do: repos, files, card data, gates, cost; --apply does it."""
    from kit.publishing.commands import COMMANDS

    run = _finished(name, "assembly.json", chosen)
    if action == "undo" and not yes:
        click.confirm(f"Take back the last publication of {name}?", abort=True, err=True)
    _print(*COMMANDS[action or "plan"](run, _bar), as_json)


@kit.command()
@click.argument("name")
@as_json
def stats(name: str, as_json: bool) -> None:
    """Ask the Hub for downloads, likes and the Space's stage, and keep them by day."""
    from kit.publishing.counting import stats as count_today

    _print(*count_today(_project(), name), as_json)


@kit.command()
@click.argument("target", metavar="OWNER/NAME|FOLDER")
@as_json
def verify(target: str, as_json: bool) -> None:
    """Check what a model's page claims: hashes, numbers, and the test rows answered again."""
    from kit.publishing.commands import check_claims

    _print(*check_claims(target, _bar), as_json)


@kit.group()
def hook() -> None:
    """The git hook that proposes a message at `git commit`."""


repository = click.option("--repo", default=".", help="The git repository, if not this one.")


@hook.command("install")
@click.argument("name", required=False)
@repository
@click.option("--force", is_flag=True, help="Keep another hook beside, and take its place.")
@as_json
def hook_install(name: str | None, repo: str, force: bool, as_json: bool) -> None:
    """Write the hook; it asks the model of the recipe's finished run."""
    from kit.installing import install
    from kit.reporting import report_hook
    from kit.tasks import recipe_that_reads

    chosen = recipe_that_reads(_project().root, "diff", name)
    export = _finished(chosen, "export.json", {}).folder / "export"
    report_hook(install(Path(repo).expanduser(), export, force), as_json)


@hook.command("uninstall")
@repository
@as_json
def hook_uninstall(repo: str, as_json: bool) -> None:
    """Remove the hook, and put back the one whose place it took."""
    from kit.installing import uninstall
    from kit.reporting import report_hook

    report_hook(uninstall(Path(repo).expanduser()), as_json)


@kit.group()
def hub() -> None:
    """A Hub on this machine, to rehearse on."""


@hub.command("serve")
@click.option(
    "--port", default=7900, show_default=True, type=click.IntRange(0, 65535), help="0: a free one."
)
@click.option("--folder", default="build/hub", show_default=True, help="Where its repos are kept.")
@as_json
def hub_serve(port: int, folder: str, as_json: bool) -> None:
    """Serve a loopback Hub that huggingface_hub can use, with pages to look at."""
    from kit.hub.rehearsal.serving import serve

    project = _project()
    place = project.root / Path(folder).expanduser()
    serve(place, port, project.owner, partial(_print, as_json=as_json))


@kit.group()
def site() -> None:
    """The site: recipe pages with the model running in them."""


@site.command("build")
@as_json
def site_build(as_json: bool) -> None:
    """Build build/site from site/ and the recipes' results."""
    from kit.sites.building import build_site

    folder = build_site(_project(), _bar)
    _print({"folder": folder.as_posix()}, [folder.as_posix()], as_json)


@site.command("serve")
@click.option("--port", default=8000, show_default=True)
@as_json
def site_serve(port: int, as_json: bool) -> None:
    """Build the site and serve it on this machine."""
    from kit.sites.building import serve_site

    serve_site(_project(), port, _bar, partial(_print, as_json=as_json))


@site.command("reference")
def site_reference() -> None:
    """Print the reference of the command line as Markdown."""
    from kit.sites.reference import reference

    click.echo(reference(kit), nl=False)


@kit.command()
@as_json
def doctor(as_json: bool) -> None:
    """Say what this machine has for kit: libraries, tools, the Hub, free disk."""
    from kit.reporting import examine

    rows = examine(_project())
    _print(rows, [f"{row['what']:16} {row['found']}" for row in rows], as_json)


def _project() -> Project:
    from kit.project import find_project

    return find_project(Path.cwd())


def _run(name: str, **chosen: Any) -> Run:
    from kit.choosing import choose_run

    return choose_run(_project(), name, **chosen)


def _finished(name: str, record: str, chosen: dict[str, Any]) -> Run:
    from kit.choosing import finished_run

    return finished_run(_project(), name, record, **chosen)


def _bar(what: str, done: int, total: int | None) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{what} {done}{f' of {total}' if total else ''}\033[K", nl=False, err=True)


def clear_bar() -> None:
    """Take the progress off the terminal's line, so that what comes next stands there alone."""
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)


def _print(value: Any, lines: list[str], as_json: bool) -> None:
    clear_bar()
    click.echo(json.dumps(value, indent=1) if as_json else "\n".join(lines))
