"""How the service is set up, beside what comes of it now: the settings page, a module to a question."""
