package importing

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"waybill/events/fault"
)

// book is an open .xlsx file: an archive of XML parts that name each other.
type book struct {
	name     string
	archive  *zip.ReadCloser
	parts    map[string]*zip.File // by partName
	sheets   []bookSheet          // with cells, in the order of the workbook
	texts    string               // part of the shared texts; empty = there are none
	from1904 bool
	left     int64 // bytes that may still be unpacked
}

type bookSheet struct{ title, part string }

// partName is the form in which names of parts are compared.
func partName(s string) string {
	return strings.ToLower(strings.TrimPrefix(path.Clean(strings.ReplaceAll(s, `\`, "/")), "/"))
}

func openBook(file, name string) (*book, error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return nil, badWorkbook(name, err)
	}
	b := &book{name: name, archive: archive, parts: map[string]*zip.File{}, left: maxUnzipped}
	for _, f := range archive.File {
		b.parts[partName(f.Name)] = f
	}
	if err := b.read(); err != nil {
		return nil, errors.Join(badWorkbook(name, err), b.close())
	}
	return b, nil
}

// relation is how one part names another.
type relation struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
}

// read finds out what the workbook holds.
func (b *book) read() error {
	main := "xl/workbook.xml"
	top, err := b.relations("_rels/.rels", "")
	if err != nil {
		return err
	}
	for _, r := range top {
		if strings.HasSuffix(r.Type, "/officeDocument") {
			main = r.Target
		}
	}
	var content struct {
		Properties struct {
			From1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Title string     `xml:"name,attr"`
			Attrs []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := b.unmarshal(main, &content); err != nil {
		return err
	}
	b.from1904 = content.Properties.From1904 == "1" || strings.EqualFold(content.Properties.From1904, "true")
	dir, base := path.Split(main)
	list, err := b.relations(dir+"_rels/"+base+".rels", dir)
	if err != nil {
		return err
	}
	byID := map[string]relation{}
	for _, r := range list {
		byID[r.ID] = r
		if strings.HasSuffix(r.Type, "/sharedStrings") {
			b.texts = r.Target
		}
	}
	for _, s := range content.Sheets {
		for _, a := range s.Attrs {
			if r, ok := byID[a.Value]; ok && a.Name.Local == "id" && strings.HasSuffix(r.Type, "/worksheet") {
				b.sheets = append(b.sheets, bookSheet{s.Title, r.Target})
			}
		}
	}
	return nil
}

// relations reads which parts a part names; targets are relative to dir. There
// may be none.
func (b *book) relations(part, dir string) ([]relation, error) {
	if b.parts[partName(part)] == nil {
		return nil, nil
	}
	var content struct {
		List []relation `xml:"Relationship"`
	}
	err := b.unmarshal(part, &content)
	for i, r := range content.List {
		if !strings.HasPrefix(r.Target, "/") {
			content.List[i].Target = dir + r.Target
		}
		content.List[i].Target = partName(content.List[i].Target)
	}
	return content.List, err
}

// unmarshal reads a small part.
func (b *book) unmarshal(part string, v any) error {
	r, err := b.open(part)
	if err != nil {
		return err
	}
	defer r.close()
	r.room = maxInMemory
	if err := r.dec.Decode(v); err != nil {
		return fmt.Errorf("part %s: %w", part, err)
	}
	return nil
}

// open begins to read a part.
func (b *book) open(part string) (*partReader, error) {
	f := b.parts[partName(part)]
	if f == nil {
		return nil, badWorkbook(b.name, fmt.Errorf("there is no part %s", shorten(part)))
	}
	if f.UncompressedSize64 > ratioFrom && f.UncompressedSize64/maxRatio > f.CompressedSize64 {
		return nil, b.bomb()
	}
	r, err := f.Open()
	if err != nil {
		return nil, badWorkbook(b.name, err)
	}
	p := &partReader{book: b, from: r, room: maxRow}
	p.dec = xml.NewDecoder(p)
	return p, nil
}

// choose returns the sheet of a title; the first when none is wanted.
func (b *book) choose(want string) (bookSheet, error) {
	var titles []string
	for _, s := range b.sheets {
		if want == "" || normal(s.title) == normal(want) {
			return s, nil
		}
		titles = append(titles, s.title)
	}
	if len(titles) == 0 {
		return bookSheet{}, fault.New(fault.Invalid, "no-sheet", "The workbook %s has no sheet with cells; export it again.", b.name)
	}
	return bookSheet{}, fault.New(fault.Invalid, "no-such-sheet", "The workbook %s has no sheet %q; its sheets are: %s.", b.name, want, strings.Join(titles, ", "))
}

func (b *book) close() error { return b.archive.Close() }

func (b *book) bomb() error {
	return fault.New(fault.Invalid, "workbook-too-large",
		"%s unpacks to far more than a delivery file holds; save it again without formatted empty cells, or export CSV.", b.name)
}

func badWorkbook(name string, err error) error {
	if fault.KindOf(err) == fault.Invalid {
		return err
	}
	return fault.Wrap(err, fault.Invalid, "bad-workbook",
		"%s cannot be read as an .xlsx workbook (it may be damaged, or be another kind of archive); save it again as .xlsx, or as CSV", name)
}

// partReader reads a part as XML. It bounds what stands between two tokens, so
// that none of them fills the memory, and what is unpacked in all.
type partReader struct {
	book  *book
	from  io.ReadCloser
	dec   *xml.Decoder
	room  int64 // bytes until the next step
	depth int
}

var errTooLong = fmt.Errorf("a row, or a text, has more than %d MiB", maxRow>>20)

// Read implements io.Reader, for the decoder.
func (p *partReader) Read(b []byte) (int, error) {
	if p.room <= 0 {
		return 0, errTooLong
	}
	n, err := p.from.Read(b)
	p.room -= int64(n)
	if p.book.left -= int64(n); p.book.left < 0 {
		return 0, p.book.bomb()
	}
	return n, err
}

// next makes room for what comes.
func (p *partReader) next() { p.room = maxRow }

// token returns the next token. It is valid until the one after it.
func (p *partReader) token() (xml.Token, error) {
	t, err := p.dec.Token()
	switch t.(type) {
	case xml.StartElement:
		p.depth++
	case xml.EndElement:
		p.depth--
	}
	if err == nil && (p.depth > maxDepth || p.depth < 0) {
		err = errors.New("its elements stand in each other endlessly")
	}
	if errors.Is(err, io.EOF) && p.depth > 0 {
		err = io.ErrUnexpectedEOF
	}
	return t, err
}

// element returns the next beginning of an element; io.EOF at the end.
func (p *partReader) element() (xml.StartElement, error) {
	for {
		p.next()
		t, err := p.token()
		if err != nil {
			return xml.StartElement{}, err
		}
		if start, ok := t.(xml.StartElement); ok {
			return start, nil
		}
	}
}

// skip passes over an element that has begun.
func (p *partReader) skip() error {
	for depth := p.depth; p.depth >= depth; {
		if _, err := p.token(); err != nil {
			return unexpected(err)
		}
	}
	return nil
}

// text returns the text of an element that has begun.
func (p *partReader) text() (string, error) {
	var b strings.Builder
	for depth := p.depth; p.depth >= depth; {
		t, err := p.token()
		if err != nil {
			return "", unexpected(err)
		}
		if c, ok := t.(xml.CharData); ok {
			b.Write(c)
		}
	}
	return b.String(), nil
}

func (p *partReader) close() error { return p.from.Close() }

// attr returns an attribute; empty when there is none.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
