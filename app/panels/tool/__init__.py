"""Everything of one tool: the panels of its page."""
