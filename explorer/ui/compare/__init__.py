"""The Compare page: two to four models side by side."""
