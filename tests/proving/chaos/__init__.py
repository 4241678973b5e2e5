"""`make chaos`: everything is killed at random while homes stream; what is published is what is stored."""
