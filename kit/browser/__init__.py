"""The part that runs in a reader's browser: the pinned runtime, and the component for a page."""
