"""What is said to people: a message catalogue a language, and how a sentence is made from one."""
