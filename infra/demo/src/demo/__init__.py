"""Installs, checks, starts and stops the whole stack as plain processes.

`install`, `doctor` and `seed` use only the standard library: they run before anything is installed.
"""
