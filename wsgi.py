"""`gunicorn wsgi:app`: Laptime before the application that LAPTIME_HOST_APP names, or its own tool server."""

from app import create_app

app = create_app()
