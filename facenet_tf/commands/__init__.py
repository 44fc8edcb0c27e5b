"""The commands: they parse a config, call the package and print what was written."""
