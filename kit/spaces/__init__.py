"""The folders of a Space: assembled, and asked before they leave."""
