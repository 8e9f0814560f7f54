"""Panels: each answers one question about a window of time with a frozen dataclass."""
