package letter

import (
	"bytes"
	"crypto/md5" //nolint:gosec // PDF asks for it as a checksum
	"crypto/sha256"
	_ "embed" // the colour profile
	"encoding/xml"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// profile is sRGB2014.icc of the International Color Consortium, as it comes with go-pdf; icc/LICENSE allows to embed it.
//
//go:embed icc/sRGB2014.icc
var profile []byte

// metadata is the XMP of a PDF/A-3b with a Factur-X invoice inside. Title, author, producer and date are those of the file's own properties.
func metadata(title, author string, at time.Time) []byte {
	escaped := func(s string) string {
		var b strings.Builder
		_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
		return b.String()
	}
	return []byte(strings.NewReplacer(
		"TITLE", escaped(title), "AUTHOR", escaped(author), "PRODUCER", producer, "FILE", attachmentName, "DATE", at.Format("2006-01-02T15:04:05Z"),
	).Replace(xmp))
}

const xmp = "<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>" + `
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">TITLE</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>AUTHOR</rdf:li></rdf:Seq></dc:creator>
<dc:language><rdf:Bag><rdf:li>de-DE</rdf:li></rdf:Bag></dc:language>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>PRODUCER</pdf:Producer></rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<xmp:CreateDate>DATE</xmp:CreateDate><xmp:ModifyDate>DATE</xmp:ModifyDate>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">
<fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>FILE</fx:DocumentFileName>
<fx:Version>1.0</fx:Version><fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>fx</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>DocumentFileName</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>
<pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>name of the embedded XML file</pdfaProperty:description></rdf:li>
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>DocumentType</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>
<pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>INVOICE</pdfaProperty:description></rdf:li>
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>Version</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>
<pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>version of the XML schema</pdfaProperty:description></rdf:li>
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>ConformanceLevel</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>
<pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>profile of the XML data</pdfaProperty:description></rdf:li>
</rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`

var trailer = regexp.MustCompile(`trailer\n<<\n/Size (\d+)\n/Root (\d+) 0 R\n/Info \d+ 0 R\n>>\nstartxref\n(\d+)\n%%EOF\n$`)

// attach appends an incremental update with the invoice as an associated file. go-pdf's own attachments are no associated files, readers do
// not find them, and its /Info is wrong beside an output intent: the properties stand before the colour profile, which stands before the
// catalogue.
func attach(pdf, invoice []byte, at time.Time) ([]byte, error) {
	m := trailer.FindSubmatch(pdf)
	if m == nil {
		return nil, fmt.Errorf("attach invoice: the PDF does not end as expected")
	}
	size, err := strconv.Atoi(string(m[1]))
	if err != nil {
		return nil, fmt.Errorf("attach invoice: %w", err)
	}
	root := size - 1
	_, catalog, found := bytes.Cut(pdf, fmt.Appendf(nil, "\n%d 0 obj\n<<\n", root))
	catalog, _, named := bytes.Cut(catalog, []byte("/Names <<"))
	if !found || !named || string(m[2]) != strconv.Itoa(root) {
		return nil, fmt.Errorf("attach invoice: the PDF's catalogue is not where it is expected")
	}
	out := bytes.NewBuffer(bytes.Clone(pdf))
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, out.Len())
		fmt.Fprintf(out, "%d 0 obj\n"+format+"\nendobj\n", append([]any{root + len(offsets) - 1}, args...)...)
	}
	file, spec := root+1, root+2
	object("<<\n%s/Version /1.7\n/AF [%d 0 R]\n/Names << /EmbeddedFiles << /Names [(%s) %d 0 R] >> >>\n>>", catalog, spec, attachmentName, spec)
	object("<< /Type /EmbeddedFile /Subtype /text#2Fxml /Params << /ModDate (D:%s) /Size %d /CheckSum <%x> >> /Length %d >>\nstream\n%s\nendstream",
		at.Format("20060102150405")+"Z", len(invoice), md5.Sum(invoice), len(invoice), invoice) //nolint:gosec // as above
	object("<< /Type /Filespec /F (%[2]s) /UF (%[2]s) /Desc (ZUGFeRD) /AFRelationship /Alternative /EF << /F %[3]d 0 R /UF %[3]d 0 R >> >>",
		attachmentName, file)
	start := out.Len()
	fmt.Fprintf(out, "xref\n%d %d\n", root, len(offsets))
	for _, o := range offsets {
		fmt.Fprintf(out, "%010d 00000 n \n", o)
	}
	sum := sha256.Sum256(out.Bytes())
	fmt.Fprintf(out, "trailer\n<<\n/Size %d\n/Root %d 0 R\n/Info %d 0 R\n/Prev %s\n/ID [<%x> <%x>]\n>>\nstartxref\n%d\n%%%%EOF\n",
		size+2, root, root-2, m[3], sum[:16], sum[:16], start)
	return out.Bytes(), nil
}
