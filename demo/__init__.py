"""The demo: a library's files, and the story that plays with them (`make demo`)."""
