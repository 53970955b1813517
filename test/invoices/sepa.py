"""Asks the XSDs of sepaxml about the files for the bank in a folder; prints each finding."""
import pathlib
import re
import sys

import lxml.etree
import sepaxml

schemas = pathlib.Path(sepaxml.__file__).parent
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.xml")):
    name = re.search(r"pain\.\d{3}\.\d{3}\.\d{2}", file.name).group()
    schema = lxml.etree.XMLSchema(lxml.etree.parse(next(schemas.rglob(name + ".xsd"))))
    document = lxml.etree.parse(file)
    if not schema.validate(document):
        for error in schema.error_log:
            print(f"xsd: {file.name}: line {error.line}: {error.message}")
