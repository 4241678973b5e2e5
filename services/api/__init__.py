"""The doctor's console, the REST interface and the command that registers homes and doctors."""
