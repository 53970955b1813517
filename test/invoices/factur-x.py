"""Asks factur-x about the PDFs of a folder: the XML is found inside, is what stands beside it, and fits XSD and Schematron."""
import logging
import pathlib
import sys

import facturx

logging.disable(logging.CRITICAL)
for pdf in sorted(pathlib.Path(sys.argv[1]).glob("*.pdf")):
    try:
        name, xml = facturx.get_xml_from_pdf(pdf.read_bytes(), check_xsd=True)
        if name != "factur-x.xml" or xml != pdf.with_suffix(".zugferd.xml").read_bytes():
            print(f"factur-x: {pdf.name}: {name} inside is not the file beside it")
        if not facturx.xml_check_schematron(xml, flavor="factur-x", level="en16931"):
            print(f"factur-x: {pdf.name}: its rules are broken")
    except Exception as e:  # whatever it does not like
        print(f"factur-x: {pdf.name}: {e!r}")
