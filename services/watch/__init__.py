"""The auditor: looks at the whole platform from outside and notifies its operators, once, what is wrong with it."""
