"""The reference of the command line, from the commands themselves.

    kit site reference > site/reference/cli.md     # a test says when the committed page is old

A command's text is its help, its options are click's; the example is below, and a test parses it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import click

EXAMPLES = {
    "recipes": "kit recipes",
    "briefs": "kit briefs --json",
    "titles": "kit titles sentiment --counts views.csv",
    "runs": "kit runs sentiment",
    "run": "kit run sentiment --set training.epochs=2 --seed 7",
    "data": "kit data sentiment --data reviews.csv --text-column body --label-column verdict",
    "train": "kit train sentiment --set training.method=lora",
    "export": "kit export sentiment",
    "write": "kit write sentiment",
    "assemble": "kit assemble sentiment",
    "evaluate": "kit evaluate sentiment --on rows.csv --text-column body --label-column verdict",
    "predict": 'kit predict sentiment "Great cast, dull film."',
    "demo": "kit demo sentiment --port 7860",
    "check": "kit check sentiment",
    "accept": "kit accept sentiment",
    "publish": "kit publish sentiment --rehearse",
    "verify": "kit verify you/sentiment-minilm",
    "stats": "kit stats sentiment",
    "bundle": "kit bundle sentiment",
    "hook install": "kit hook install commit_messages --repo ~/src/app",
    "hook uninstall": "kit hook uninstall --repo ~/src/app",
    "hub serve": "kit hub serve --port 7900",
    "site build": "kit site build",
    "site serve": "kit site serve --port 8000",
    "site reference": "kit site reference > site/reference/cli.md",
    "init": "kit init my-models",
    "new": "kit new moods --data notes.csv --text-column body --label-column mood",
    "doctor": "kit doctor",
}
HEAD = """---
title: The command line
description: Every command of kit with its arguments, options and an example, made from the code.
---

# The command line

Results go to standard output, progress and notices to standard error. `--json` prints one JSON
document. The exit status is 0 when done, 1 for an error that you can mend (one line: what was
expected, what was given, what to do), 2 for wrong usage.

This page is made from the commands: `kit site reference`.
"""


def reference(root: click.Group) -> str:
    """Return the page for a group of commands."""
    return HEAD + "".join(_section(name, command) for name, command in commands(root))


def commands(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, with its name as it is typed after ``kit``."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def parse(root: click.Group, line: str) -> click.Context:
    """Parse an example as click would, and run nothing."""
    words = shlex.split(line.partition(" > ")[0])[1:]
    command: click.Command = root
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    return command.make_context(line, words)


def _section(name: str, command: click.Command) -> str:
    arguments = [item for item in command.params if isinstance(item, click.Argument)]
    options = [item for item in command.params if isinstance(item, click.Option)]
    usage = " ".join(["kit", name, *map(_usage, arguments), *(["[OPTIONS]"] if options else [])])
    about = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    text = f"\n## kit {name}\n\n{_cell(about)}\n\n```console\n$ {usage}\n```\n"
    if options:
        rows = "".join(f"| {_names(item)} | {_cell(_about(item))} |\n" for item in options)
        text += f"\n| option | |\n|---|---|\n{rows}"
    example = EXAMPLES.get(name)
    return text + (f"\nFor example:\n\n```bash\n{example}\n```\n" if example else "")


def _usage(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _names(option: click.Option) -> str:
    names = ", ".join(option.opts + option.secondary_opts)
    if option.is_flag or option.count:
        return f"`{names}`"
    kind = option.metavar or _kind(option.type)
    return f"`{names} {kind}`".replace("|", "\\|")


def _kind(kind: click.ParamType[Any]) -> str:
    if isinstance(kind, click.Choice):
        return "|".join(map(str, kind.choices))
    return kind.name.split()[0].upper()


def _about(option: click.Option) -> str:
    about = (option.help or "").strip()
    if option.show_default and not option.is_flag:
        about += f" Default: {option.default}."
    return about + (" May be repeated." if option.multiple and "repeated" not in about else "")


def _cell(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|")
