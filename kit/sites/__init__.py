"""Records and pages become the Markdown of a site."""
