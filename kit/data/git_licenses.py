"""The license of a repository, known by phrases of its license files at the top of HEAD.

::

    >>> detect("Permission is hereby granted, free of charge, to any person obtaining a copy ...")
    'mit'

Ids are those of SPDX in lower case, spelled as the Hub spells them where it has the license
(``gpl-3.0``): a license file does not say "or later". Several files are an "and" of their
licenses: of two to choose from, that is the cautious reading.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from kit.data.git_log import root_files
from kit.data.git_process import Git
from kit.errors import InputError

PERMISSIVE = (
    *("0bsd", "apache-2.0", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "cc0-1.0", "isc", "mit"),
    *("mit-0", "unlicense", "zlib"),
)
_FILES = re.compile(
    r"(?!.*(?:third|3rd).?party)(?!.*\.(?:c|cfg|go|h|java|js|json|lua|php|py|rb|rs|sh|toml|ts|xml|ya?ml)$)"
    r"(?:(?:mit|apache|bsd)[-_])?(?:(?:un)?licen[sc]e|copying)(?:[-_.][\w.-]+)?",
    re.IGNORECASE,
)
_MAX_BYTES = 2**20
_ROOM = 1.3
_NOTICE_CHARACTERS = 1500
_MIT_TERMS = "permission is hereby granted, free of charge, to any person obtaining a copy"
_MIT_NOTICE = "above copyright notice and this permission notice"
_ISC_TERMS = (
    r"permission to use, copy, modify,? and(?:/or)? distribute this software for any purpose "
    "with or without fee is hereby granted"
)
_BSD_TERMS = (
    "redistribution and use in source and binary forms, with or without modification, are permitted"
)
_NO_ENDORSEMENT = r"(?:neither the names?|names?) (?:of|and)\b.{1,200}\bendorse or promote products"
_ISC_CONDITION = _ISC_TERMS + ", provided that"
_OTHER_BSD = ("all advertising materials", "patent")
# Each license: the length of its text, what that holds, and what it does not hold.
_PHRASES: tuple[tuple[str, int, tuple[str, ...], tuple[str, ...]], ...] = (
    ("mit", 1000, (_MIT_TERMS, _MIT_NOTICE), ("except as contained in this notice",)),
    ("mit-0", 900, (_MIT_TERMS,), (_MIT_NOTICE,)),
    ("apache-2.0", 11_000, (r"apache license,? version 2\.0",), ()),
    ("bsd-3-clause", 1500, (_BSD_TERMS, _NO_ENDORSEMENT), _OTHER_BSD),
    ("bsd-2-clause", 1300, (_BSD_TERMS,), (*_OTHER_BSD, _NO_ENDORSEMENT)),
    ("isc", 700, (_ISC_CONDITION,), ()),
    ("0bsd", 600, (_ISC_TERMS,), (_ISC_CONDITION,)),
    ("zlib", 850, ("altered source versions must be plainly marked",), ()),
    ("bsl-1.0", 1300, (r"boost software license - version 1\.0",), ()),
    ("mpl-2.0", 16_500, (r"mozilla public license,? (?:version|v\.) ?2\.0",), ()),
    ("agpl-3.0", 34_000, ("gnu affero general public license version 3",), ()),
    ("gpl-3.0", 35_000, ("gnu general public license version 3, 29 june 2007",), ()),
    ("gpl-2.0", 18_000, ("gnu general public license version 2, june 1991",), ()),
    ("lgpl-3.0", 7500, ("gnu lesser general public license version 3, 29 june 2007",), ()),
    ("lgpl-2.1", 26_000, (r"gnu lesser general public license version 2\.1, february 1999",), ()),
    ("unlicense", 1200, ("this is free and unencumbered software released into the public",), ()),
    ("cc0-1.0", 7000, (r"cc0 1\.0 universal",), ()),
)


def detect(text: str) -> str | None:
    """Return the license that a text is, "a and b" where it holds several, None if none is known.

    A text much longer than the licenses that it holds is None: there is something else in it.
    """
    plain = " ".join(re.sub(r"[*#>\"'“”‘’]|//", " ", text).lower().split())
    found = {
        name: length
        for name, length, held, absent in _PHRASES
        if all(re.search(phrase, plain) for phrase in held)
        and not any(re.search(phrase, plain) for phrase in absent)
    }
    if len(plain) > _ROOM * sum(found.values()) + _NOTICE_CHARACTERS:
        return None
    return " and ".join(sorted(found)) or None


def license_at(git: Git, head: str) -> str:
    """Return the license that the files at the top of a commit's tree state.

    Raises:
        InputError: there is no such file, or one that is not known.
    """
    files = root_files(git, head, _FILES, _MAX_BYTES)
    found = {name: detect(content.decode(errors="replace")) for name, content in files.items()}
    unknown = [name for name, license_id in found.items() if license_id is None]
    if not found or unknown:
        what = f"{unknown[0]} of {git.path} is no license known here" if unknown else ""
        raise InputError(
            f"{what or f'{git.path} has no LICENSE or COPYING file at the top of HEAD'}; "
            "expected one; if you know the license, name it, such as license=mit"
        )
    named = {
        one for license_id in found.values() if license_id for one in license_id.split(" and ")
    }
    return " and ".join(sorted(named))


def check_allowed(license_id: str, allowed: Collection[str], where: object) -> str:
    """Return the license in lower case if the list allows it.

    Of "a and b" both must be on the list, of "a or b" one.

    Raises:
        InputError: it is not on the list.
    """
    plain = " ".join(license_id.lower().replace("(", " ").replace(")", " ").split())
    known = {one.lower() for one in allowed}
    choices = [choice.split(" and ") for choice in plain.split(" or ")]
    if not any(all(one in known for one in choice) for choice in choices):
        raise InputError(
            f"{where} is under {plain or 'no license'}; expected one of "
            f"{', '.join(sorted(known))}; leave it out, or change allowed_licenses"
        )
    return plain
