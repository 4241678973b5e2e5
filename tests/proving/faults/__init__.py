"""`make faults`: the forty lines of the fault matrix, each with its fault injected and its criterion checked."""
