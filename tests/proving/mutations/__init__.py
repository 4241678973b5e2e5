"""Plants small changes in copies of score's source, and says which of its tests notice."""
