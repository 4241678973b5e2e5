"""The auditor: looks at the platform from outside, and notifies its operators of what is wrong."""
