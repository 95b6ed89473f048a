package importing

import (
	"bufio"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
)

// sharedTexts is the table of the texts that the cells of a workbook name by
// number. It stands on disk.
type sharedTexts struct {
	texts *os.File // one behind the other
	ends  *os.File // where each ends, 8 bytes
	count int64
	known *lru.LRU[int64, string] // short ones that were asked for lately
}

// Bounds of what is remembered of the table.
const (
	textsKnown = 16_384
	shortText  = 256 // bytes
)

// readTexts unpacks the table of a workbook.
func readTexts(b *book, tempDir string) (_ *sharedTexts, err error) {
	part, err := b.open(b.texts)
	if err != nil {
		return nil, err
	}
	defer part.close()
	t := &sharedTexts{}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	if t.known, err = lru.NewLRU[int64, string](textsKnown, nil); err != nil {
		return nil, err
	}
	if t.texts, err = scratchFile(tempDir); err != nil {
		return nil, fmt.Errorf("staging the texts of %s: %w", b.name, err)
	}
	if t.ends, err = scratchFile(tempDir); err != nil {
		return nil, fmt.Errorf("staging the texts of %s: %w", b.name, err)
	}
	texts, ends := bufio.NewWriterSize(t.texts, 64<<10), bufio.NewWriterSize(t.ends, 64<<10)
	end := uint64(0)
	for {
		start, err := part.element()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, badWorkbook(b.name, err)
		}
		if start.Name.Local != "si" {
			continue
		}
		text, err := part.rich()
		if err != nil {
			return nil, badWorkbook(b.name, err)
		}
		end += uint64(len(text))
		_, err = texts.WriteString(text)
		if _, err2 := ends.Write(binary.BigEndian.AppendUint64(nil, end)); err != nil || err2 != nil {
			return nil, fmt.Errorf("staging the texts of %s: %w", b.name, errors.Join(err, err2))
		}
		t.count++
	}
	if err := errors.Join(texts.Flush(), ends.Flush()); err != nil {
		return nil, fmt.Errorf("staging the texts of %s: %w", b.name, err)
	}
	return t, nil
}

// at returns a text by its number.
func (t *sharedTexts) at(i int64) (string, error) {
	if s, ok := t.known.Get(i); ok {
		return s, nil
	}
	if i >= t.count {
		return "", fmt.Errorf("a cell names the text %d of %d", i, t.count)
	}
	var place [16]byte // where the one before ends, and this one
	from := place[8:]
	if i > 0 {
		from = place[:]
	}
	if _, err := t.ends.ReadAt(from, max(i-1, 0)*8); err != nil {
		return "", err
	}
	begin := binary.BigEndian.Uint64(place[:8])
	text := make([]byte, binary.BigEndian.Uint64(place[8:])-begin)
	if _, err := t.texts.ReadAt(text, int64(begin)); err != nil && len(text) > 0 {
		return "", err
	}
	s := string(text)
	if len(s) <= shortText {
		t.known.Add(i, s)
	}
	return s, nil
}

func (t *sharedTexts) close() error {
	var err error
	for _, f := range [...]*os.File{t.texts, t.ends} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// rich returns the text of an element that has begun, which may consist of runs
// of different looks. How it is to be pronounced is left out.
func (p *partReader) rich() (string, error) {
	var b strings.Builder
	for depth := p.depth; p.depth >= depth; {
		t, err := p.token()
		if err != nil {
			return "", unexpected(err)
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "t":
			text, err := p.text()
			if err != nil {
				return "", err
			}
			b.WriteString(text)
		case "rPh":
			if err := p.skip(); err != nil {
				return "", err
			}
		}
	}
	return unescape(b.String()), nil
}

// unescape undoes _xHHHH_, as which characters are written that XML cannot hold.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 || len(s) < i+7 {
			b.WriteString(s)
			return b.String()
		}
		code, err := strconv.ParseUint(s[i+2:i+6], 16, 16)
		if err != nil || s[i+6] != '_' {
			b.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		b.WriteString(s[:i])
		b.WriteRune(rune(code))
		s = s[i+7:]
	}
}
