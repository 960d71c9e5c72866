"""The explorer: a web page that shows a network learning, and the chain rule of any weight.

The page is in ``static/``. The arithmetic is done here, by ``maths``, ``training`` and ``explain``, in one session per
page.
"""

from importlib.util import find_spec

_missing = [name for name in ("starlette", "uvicorn", "websockets", "ziamath") if find_spec(name) is None]
if _missing:
    raise ImportError(f"the explorer needs {', '.join(_missing)}; install it with: pip install 'backpath[explorer]'")
