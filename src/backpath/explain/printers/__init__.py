"""The formats: terminal text, LaTeX, MathML, HTML and Markdown, each over the same formulas and documents."""
