"""HTTP: who may come in, what a wrong request is told, the JSON API, the tool server and the pages."""
