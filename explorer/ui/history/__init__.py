"""The history page's parts: the steps of the timeline, the ideas to try out, the folklore."""
