"""Spreadsheets as files, without a package that writes them."""

import io
import zipfile


def as_spreadsheet(lines):
    """A sheet of lines with cells between commas, those that begin with a digit as numbers: the parts without which an
    .xlsx file is none (ECMA-376)."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"

    def cell(text):
        return f"<c><v>{text}</v></c>" if text[:1].isdigit() else f'<c t="inlineStr"><is><t>{text}</t></is></c>'

    def relation(kind, target):
        one = f'<Relationship Id="a" Type="{kinds}/{kind}" Target="{target}"/>'
        return (
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{one}</Relationships>'
        )

    rows = "".join(f"<row>{''.join(map(cell, line.split(',')))}</row>" for line in lines)
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/sheet.xml" ContentType="{types}.worksheet+xml"/></Types>',
        "_rels/.rels": relation("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{kinds}"><sheets><sheet name="s" sheetId="1" r:id="a"/></sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": relation("worksheet", "sheet.xml"),
        "xl/sheet.xml": f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>",
    }
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return found.getvalue()
