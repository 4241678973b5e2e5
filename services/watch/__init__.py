"""The auditor: looks at the whole platform from outside and tells its operators, once, what is wrong with it."""
