"""The style page: every part of the dashboard in every state, for people who change how it looks."""
