"""Tools for developers: the wheels of a release, the picture of the architecture, and mutation tests."""
