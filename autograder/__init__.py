"""What an instructor runs: build, run, grade, report."""
