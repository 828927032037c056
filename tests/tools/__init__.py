"""What the tests need beside themselves."""
