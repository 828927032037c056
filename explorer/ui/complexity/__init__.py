"""The parts of the complexity page: its controls, its figures, and one module a view."""
