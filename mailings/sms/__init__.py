"""Text messages: how long a text is, what stands in one, and how they leave. Nothing here talks to a provider."""
