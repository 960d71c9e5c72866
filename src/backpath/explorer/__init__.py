"""The explorer: a web page on which one sees a network learn, and reads the chain rule of any weight.

The page is in ``static/``; the arithmetic is done here, by ``maths``, ``training`` and ``explain``, a session per page.
"""
