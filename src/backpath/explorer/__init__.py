"""The explorer: a web page that shows a network learning, and the chain rule of any weight.

The page is in ``static/``. The arithmetic is done here, by ``maths``, ``training`` and ``explain``, in one session per
page.
"""
