"""What was learned from recorded people, as pure functions of plain arrays; one file a model."""
