"""The data stage: sources, cleaning, audit, duplicates, splits, and the stage itself.

What each module is for::

    sources          rows of a file or of the Hub          lines, columns, hub_rows
    cleaning         repairs a text or refuses it by name
    audit            personal data, secrets                licenses
    near_duplicates  exact and near copies
    splits           stratified split, leaks, contradictions
    preparing        the whole stage for labelled texts    rows, labels, dividing, tables
"""
