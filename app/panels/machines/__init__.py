"""The machines below the service: the panels of the page "System"."""
