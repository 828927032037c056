"""What a page is made of: the shell around it, the chosen model, running jobs, downloads."""
