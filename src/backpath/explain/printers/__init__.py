"""The output formats of formulas and documents: terminal text, LaTeX, MathML, HTML and Markdown."""
