"""Shows that a change of score's structure changes no finding: two versions of the code on one recorded log."""
