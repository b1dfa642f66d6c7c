"""Functions on arrays: metrics with intervals, paired tests, baselines, probes. No model loading.

For example::

    metrics = score(("negative", "positive"), truth, probabilities)
    comparison = compare("accuracy", "tuned", "base", tuned == truth, base == truth)
"""
