"""The bundled tool server's tools: what is measured when no other application is named.

Plain Python without Flask: `builtin` declares the tools, `workspace` is the only way from them to
files, `analyze_code` reads source text. `app.web.tools_api` puts them behind HTTP.
"""
