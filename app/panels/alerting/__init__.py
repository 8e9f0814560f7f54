"""What the pages of alerts show, a module to each: frozen dataclasses of the desk, the sources and now."""
