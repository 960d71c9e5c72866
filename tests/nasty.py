"""Names that columns may have, and that mean something in one format or another."""

NASTY = [
    "<script>alert(1)</script>",
    "</math></mtext><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "]]>--><!--",
    "&lt;&amp;&#60;",
    r"\input{/etc/passwd} \write18{id} \end{document}",
    "$x$ $$ \\[ \\( % # _ ^ ~ { } \\",
    "`code` *b* _i_ [a](javascript:x) ![i](u) | cell |\\| ~~s~~",
    "https://evil.example www.evil.example a@evil.example",
    "\x1b[31mred\x1b]0;title\x07\r\nnew line\ttab\x00\x9b",
    "\u202eright to left\u2066 \u200b\u2028",
    "😀 👨\u200d👩 日本 é ß ſ ﬁ",
    "-- --- !` ?` << >> ,, ''",
]
