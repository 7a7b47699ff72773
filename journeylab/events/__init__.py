"""What happened: logs, journeys, and the spells that customers spent in each stage."""
