"""Cards, posts and figures: pure functions of records, prose and brief."""
