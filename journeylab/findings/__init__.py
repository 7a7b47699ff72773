"""What it means: one file per question; each returns a finding with sentence, table and figure."""
