"""The attribution page's parts: controls, maps side by side, what they are worth, downloads."""
