"""The editorial kit: copies that fit and are true, a video plan, pictures that say the record."""

from __future__ import annotations

import importlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from kit.brief import Brief, read_brief
from kit.brief.card import Editorial, Social, Step
from kit.brief.editorial import x_length
from kit.project import find_project
from kit.recipe import find_recipe
from kit.rendering import Ledger
from kit.writing import social, words
from kit.writing.pages import load_records
from tests.tiny import ROOT

NAMES = ("sentiment", "commit_messages")
GAP = "\N{NO-BREAK SPACE}"
HOSTILE = (
    '<script>alert(1)</script> "quotes" {{ 7*7 }} | `code` \ue000 5 \ue001 🎬 --- [x](javascript:y)'
)


@pytest.fixture(scope="module")
def contexts() -> dict[str, dict[str, Any]]:
    """Return what the templates of each recipe see of its accepted records."""
    found = {}
    for name in NAMES:
        recipe = find_recipe(ROOT, name)
        pages = importlib.import_module(f"kit.tasks.{recipe.task.kind}.pages")
        records = load_records(recipe.folder / "results")
        found[name] = pages.context(find_project(ROOT), recipe, records)
    return found


def brief_of(name: str) -> Brief:
    return read_brief(ROOT / "recipes" / name / "brief.md")


def rendered(values: dict[str, Any], brief: Brief) -> tuple[dict[str, str], Ledger]:
    """Return the kit by file name, NO-BREAK SPACE as a space, pictures as the text they hold."""
    names = ("dataset", "checkpoint", "evaluation", "export")
    ledger = Ledger({name: values[name] for name in names})
    made = social.render_social(ledger, {**values, "brief": brief})
    texts = {}
    for page, content in made.items():
        text = content if isinstance(content, str) else description(content)
        texts[page.removeprefix("social/")] = text.replace(GAP, " ")
    return texts, ledger


def description(png: bytes) -> str:
    """Return the alt text that a picture carries."""
    import io

    from PIL import Image

    return str(Image.open(io.BytesIO(png)).info["Description"])


def with_test(
    values: dict[str, Any], metric: str, opponent: str, difference: float, p_value: float
) -> dict[str, Any]:
    """Return the context of a record in which one paired test came out otherwise."""
    record = values["evaluation"]
    changed = tuple(
        c.model_copy(update={"difference": difference, "p_value": p_value})
        if (c.metric, c.b) == (metric, opponent)
        else c
        for c in record.comparisons
    )
    record = record.model_copy(update={"comparisons": changed})
    verdicts = {name: words.against(record, name) for name in values["opponents"]}
    return {**values, "evaluation": record, "verdicts": verdicts}


def with_copies(brief: Brief, **copies: str) -> Brief:
    return replace(brief, editorial=replace(brief.editorial, social=Social(**copies)))


# -- copies


@pytest.mark.parametrize("name", NAMES)
def test_every_copy_says_number_rows_interval_bar_and_one_link(
    contexts: dict[str, dict[str, Any]], name: str
) -> None:
    values = contexts[name]
    texts, _ = rendered(values, brief_of(name))
    metric = values["evaluation"].systems["tuned"][values["evaluation"].headline]
    bar = values["evaluation"].systems[values["strongest"]][values["evaluation"].headline]
    for page in ("x.txt", "linkedin.txt", "instagram.txt"):
        text = texts[page]
        assert f"{100 * metric.value:.1f} % of {metric.n} machine-written test " in text
        assert f"(95 % interval {100 * metric.low:.1f} % to {100 * metric.high:.1f} %)" in text
        assert f"{100 * bar.value:.1f} %" in text
        assert re.findall(r"https?://\S+", text) == [
            f"https://modelpress.github.io/kit/recipes/{name}/"
        ]
        assert "!" not in text
    assert x_length(texts["x.txt"].strip()) <= 280
    assert social.warnings({f"social/{p}": t for p, t in texts.items()}, brief_of(name)) == []


VERDICTS = {
    "beats": (0.05, 0.001, "beating counting words", "tuned is better, p = 0.001"),
    "trails": (-0.05, 0.001, "less than counting words", "tuned is worse, p = 0.001"),
    "noise": (
        0.05,
        0.3,
        "which cannot be told apart from counting words",
        "no sure difference, p = 0.3",
    ),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_the_words_around_the_number_follow_the_paired_test(
    contexts: dict[str, dict[str, Any]], case: str
) -> None:
    difference, p_value, said, pictured = VERDICTS[case]
    values = with_test(contexts["sentiment"], "accuracy", "tfidf", difference, p_value)
    texts, _ = rendered(values, brief_of("sentiment"))
    assert said in texts["x.txt"]
    assert said in texts["instagram.txt"]
    assert pictured in texts["og.png"]
    assert pictured in texts["thumbnail.png"]
    others = [other for key, (*_, other, _) in VERDICTS.items() if key != case]
    assert not any(other in texts[page] for other in others for page in ("x.txt", "titles.md"))
    assert ("cannot be told apart" in texts["linkedin.txt"]) is (case == "noise")
    assert ("gets more" in texts["video.md"]) is (case == "trails")


SENTENCES = {
    "trails": (-2.5, 0.001, "The words after the type lose to copied ones", "worse than copied"),
    "noise": (-0.1, 0.4, "are no better than copied ones", "cannot be told apart from copied ones"),
    "beats": (2.5, 0.001, "The words after the type: chrF {chrf} of 100", "nearer to the author's"),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_a_generator_that_writes_badly_says_so_beside_its_number(
    contexts: dict[str, dict[str, Any]], case: str
) -> None:
    difference, p_value, short, long = SENTENCES[case]
    metric = contexts["commit_messages"]["evaluation"].systems["tuned"]["chrf"]
    chrf = f"{metric.value:.1f}"
    values = with_test(contexts["commit_messages"], "chrf", "nearest", difference, p_value)
    texts, _ = rendered(values, brief_of("commit_messages"))
    for page in ("x.txt", "instagram.txt", "alt.txt", "og.png", "thumbnail.png"):
        assert short.format(chrf=chrf) in texts[page], page
    for page in ("linkedin.txt", "video.md"):
        assert long in texts[page], page
        assert chrf in texts[page]


def test_a_classifier_has_no_word_on_sentences(contexts: dict[str, dict[str, Any]]) -> None:
    texts, _ = rendered(contexts["sentiment"], brief_of("sentiment"))
    assert not any("after the type" in text for text in texts.values())


def test_a_copy_that_is_too_long_is_named_with_what_to_cut(
    contexts: dict[str, dict[str, Any]],
) -> None:
    brief = with_copies(brief_of("sentiment"), x="so " * 99 + "end", linkedin="y" * 3000)
    texts, _ = rendered(contexts["sentiment"], brief)
    pages = {f"social/{page}": text for page, text in texts.items()}
    length = x_length(texts["x.txt"].strip())
    lines = social.warnings(pages, brief)
    assert lines[0] == (
        f"social/x.txt: expected at most 280 characters as the network counts them, got {length}; "
        f"take {length - 280} from 'x' under Social copies in brief.md"
    )
    assert "social/linkedin.txt: expected at most 3000" in lines[1]
    assert brief.editorial.social.x in texts["x.txt"]


def test_a_card_that_says_nothing_still_gives_a_whole_kit(
    contexts: dict[str, dict[str, Any]],
) -> None:
    brief = replace(brief_of("sentiment"), editorial=Editorial(), sections={})
    texts, _ = rendered(contexts["sentiment"], brief)
    assert texts["x.txt"].count("\n") == 2
    assert texts["x.txt"].endswith("/recipes/sentiment/\n")
    assert "The card has no outline yet." in texts["video.md"]
    assert "by the number" in texts["titles.md"]
    assert "None" not in "".join(texts.values())


# -- the video and the titles


def test_a_part_is_given_the_figures_that_it_asks_for() -> None:
    steps = (
        Step("Who wrote the rows", 1.5, 0.0),
        Step("The table: tuned against TF-IDF", 2.0),
        Step("Where it fails", None),
        Step("And then", None),
    )
    parts, left = social.outline(steps, "reviews")
    assert [part.groups for part in parts] == [["data"], ["comparison"], ["failures"], []]
    assert [part.time for part in parts] == ["0:00 to 1:30", "1:30 to 3:30", "", ""]
    assert left == ["training", "file", "cost"]
    hours, _ = social.outline((Step("late", 1.0, 61.5),), "reviews")
    assert hours[0].time == "1:01:30 to 1:02:30"


def test_the_outline_of_the_video_says_every_system_with_its_interval(
    contexts: dict[str, dict[str, Any]],
) -> None:
    texts, _ = rendered(contexts["sentiment"], brief_of("sentiment"))
    for name, metrics in contexts["sentiment"]["evaluation"].systems.items():
        accuracy = metrics["accuracy"]
        interval = f"{100 * accuracy.low:.1f} % to {100 * accuracy.high:.1f} %"
        assert interval in texts["video.md"], name
    assert "\n0:30 The question" in texts["video.md"]


def test_a_title_is_cut_at_a_word_where_a_list_of_results_cuts_it() -> None:
    whole = social.measured("A title that fits", 60)
    assert (whole.characters, whole.cut) == (17, False)
    long = social.measured("word " * 20, 60)
    assert long.cut
    assert len(long.shown) <= 60
    assert long.shown.endswith("word …")
    assert social.measured("x" * 70, 60).shown == "x" * 58 + " …"
    assert whole.pixels < long.pixels


# -- hostile cards


@pytest.fixture
def hostile(contexts: dict[str, dict[str, Any]]) -> tuple[dict[str, str], Brief]:
    card = brief_of("sentiment")
    editorial = replace(
        card.editorial,
        video_titles=(HOSTILE,),
        hook=HOSTILE,
        video_outline=(Step(HOSTILE, 1.0, 0.0),),
        thumbnails=(HOSTILE,),
        social=Social(HOSTILE, HOSTILE, HOSTILE),
        tags=(HOSTILE, "c++"),
        meta_description=HOSTILE,
    )
    brief = replace(card, title=HOSTILE, editorial=editorial, sections={"Summary": HOSTILE})
    return rendered(contexts["sentiment"], brief)[0], brief


@pytest.mark.parametrize("page", ["video.md", "titles.md"])
def test_nothing_of_a_hostile_card_becomes_markup(
    hostile: tuple[dict[str, str], Brief], page: str
) -> None:
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(hostile[0][page])
    assert "<script" not in html
    assert "javascript:y" not in "".join(re.findall(r'href="[^"]*"', html))
    assert "alert(1)" in html
    assert "{{ 7*7 }}" in html
    assert "\ue000" not in hostile[0][page]


def test_a_copy_is_text_as_the_card_has_it(hostile: tuple[dict[str, str], Brief]) -> None:
    said = HOSTILE.replace("\ue000", "").replace("\ue001", "")
    for page in ("x.txt", "linkedin.txt", "instagram.txt"):
        assert said in hostile[0][page], page


def test_what_the_font_cannot_draw_is_named_and_left_out(
    hostile: tuple[dict[str, str], Brief],
) -> None:
    from kit.writing import pictures

    assert pictures.left_out("A 🎬 in <b> “é” 日本") == "🎬日本"
    assert pictures.drawable("A 🎬 in <b> “é”") == "A in <b> “é”"
    assert any("the font has no" in line and "🎬" in line for line in _warned(hostile[1]))


def _warned(brief: Brief) -> list[str]:
    return social.warnings({}, brief)


# -- pictures


def test_every_number_of_a_picture_is_in_the_ledger(contexts: dict[str, dict[str, Any]]) -> None:
    for name in NAMES:
        texts, ledger = rendered(contexts[name], brief_of(name))
        for page in ("og.png", "thumbnail.png"):
            told = [e.text.replace(GAP, " ") for e in ledger.entries if e.page == f"social/{page}"]
            assert len(told) >= 8
            rest = texts[page].replace("95 %", "")
            for text in sorted(told, key=len, reverse=True):
                rest = rest.replace(text, "")
            assert not re.search(r"\d", rest), rest
            assert texts[page] == texts["alt.txt"].strip()


def test_the_site_is_named_as_people_write_it() -> None:
    project = find_project(ROOT)
    assert social.site_name(project) == "modelpress.github.io/kit"
    assert social.site_name(replace(project, site_url="http://127.0.0.1:8000/")) == ""


def test_a_run_writes_the_kit_and_says_what_is_too_long(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from kit.runs import Run
    from kit.writing.pages import write_rendered

    recipe = find_recipe(ROOT, "sentiment")
    folder = tmp_path / "recipe"
    folder.mkdir()
    text = (recipe.folder / "brief.md").read_text().replace("- x: ", f"- x: {'long ' * 30}")
    (folder / "brief.md").write_text(text)
    run = Run(
        find_project(ROOT),
        replace(recipe, folder=folder),
        "starter",
        recipe.preset(None),
        tmp_path / "run",
    )

    def renderer(*_: Any) -> Any:
        return {"social/x.txt": "x" * 300, "social/og.png": b"\x89PNG"}, Ledger({})

    record = write_rendered(run, renderer, lambda *_: None)
    assert [file.path for file in record.files] == ["social/og.png", "social/x.txt"]
    assert (run.folder / "pages/social/og.png").read_bytes() == b"\x89PNG"
    assert "social/x.txt: expected at most 280" in capsys.readouterr().err
