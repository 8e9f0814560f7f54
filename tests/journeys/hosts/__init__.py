"""One shop in five frameworks, for an environment of its own with the wheel `laptime` and the frameworks.

Each module has `create(kind)`, which gunicorn calls: the WSGI application "bare", "measured" with the lines
that the README gives, or "wrapped" without the line that belongs into the framework's configuration.
"""
