"""Licenses as the Hub names them, and the one that a model inherits.

::

    >>> result_license("apache-2.0", ["cc-by-nc-4.0"])
    'cc-by-nc-4.0'

The table orders families by what they ask of a derived work. It is a cautious reading for a card,
not legal advice: where two licenses cannot both be met by one of them, the answer is "other".
"""

from __future__ import annotations

from collections.abc import Sequence

OTHER = "other"

_FAMILIES: tuple[tuple[str, str], ...] = (
    ("public domain", "cc0-1.0 pddl unlicense wtfpl"),
    (
        "attribution",
        "apache-2.0 mit afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause "
        "bsd-3-clause-clear c-uda cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cdla-permissive-1.0 "
        "cdla-permissive-2.0 ecl-2.0 etalab-2.0 isc odc-by openmdw-1.0 openmdw-1.1 postgresql "
        "ncsa zlib",
    ),
    (
        "share alike",
        "cc-by-sa-3.0 cc-by-sa-4.0 cdla-sharing-1.0 odbl gfdl gpl gpl-2.0 gpl-3.0 agpl-3.0 lgpl "
        "lgpl-2.1 lgpl-3.0 lgpl-lr mpl-2.0 epl-1.0 epl-2.0 eupl-1.1 eupl-1.2 osl-3.0 ofl-1.1 "
        "ms-pl lppl-1.3c",
    ),
    (
        "use restrictions",
        "openrail openrail++ bigscience-openrail-m creativeml-openrail-m "
        "bigscience-bloom-rail-1.0 bigcode-openrail-m llama2 llama3 llama3.1 llama3.2 llama3.3 "
        "llama4 gemma grok2-community apple-ascl",
    ),
    (
        "non-commercial",
        "cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 "
        "apple-amlr intel-research h-research deepfloyd-if-license "
        "fair-noncommercial-research-license",
    ),
    # Nothing can be said of these; a no-derivatives work cannot be passed on as a model.
    ("unclear", "cc cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 unknown other"),
)
_RANK = {name: rank for rank, (_, names) in enumerate(_FAMILIES) for name in names.split()}
_ATTRIBUTION, _SHARE_ALIKE, _RESTRICTED, _NON_COMMERCIAL, _UNCLEAR = range(1, 6)

LICENSES = frozenset(_RANK)


def known_license(name: str) -> bool:
    """Return whether the Hub's card metadata knows this license id, "other" included."""
    return name in LICENSES


def result_license(base: str, data: Sequence[str]) -> str:
    """Return the license of a model that was trained from ``base`` on ``data``.

    The most restrictive one wins, so non-commercial terms propagate; among licenses that only
    ask for attribution the base's comes first. "other" where one is unclear or not known, and
    where two of them would each claim the model.
    """
    given = list(dict.fromkeys([base, *data]))
    ranks = {name: _RANK.get(name, _UNCLEAR) for name in given}
    highest = max(ranks.values())
    strictest = [name for name in given if ranks[name] == highest]
    if highest == _UNCLEAR:
        return OTHER
    if highest <= _ATTRIBUTION:
        return strictest[0]
    if highest == _NON_COMMERCIAL:
        # Terms of use travel with the weights and say more than "not for money".
        return OTHER if _RESTRICTED in ranks.values() else _non_commercial(strictest)
    mixed = highest == _RESTRICTED and _SHARE_ALIKE in ranks.values()
    return OTHER if mixed or len(strictest) > 1 else strictest[0]


def _non_commercial(names: list[str]) -> str:
    """Return the one that covers all: of CC licenses, the share-alike one, then the newest."""
    if len(names) == 1:
        return names[0]
    share_alike = [name for name in names if name.startswith("cc-by-nc-sa")]
    if len(share_alike) > 1 or not all(name.startswith("cc-by-nc") for name in names):
        return OTHER
    return share_alike[0] if share_alike else max(names)
