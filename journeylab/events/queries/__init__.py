"""What the engine answers for one question: one file a question."""
