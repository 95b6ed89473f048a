package importing

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"waybill/events/fault"
)

// maxRecord bounds one record of a text file, so that a quote left open does not
// swallow the file into memory.
const maxRecord = 1 << 20

// decoderFor returns what turns a file's bytes into UTF-8. head is the beginning
// of the file, looked at for a byte order mark when no encoding is named.
func decoderFor(name string, head []byte) (transform.Transformer, error) {
	switch name {
	case "", "utf-8":
		// With a mark, what the mark says; without one, UTF-8, checked later.
		switch {
		case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
			return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder(), nil
		case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
			return unicode.BOMOverride(transform.Nop), nil
		}
		return transform.Nop, nil
	case "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder(), nil
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder(), nil
	case "windows-1252":
		return decode(charmap.Windows1252), nil
	case "iso-8859-1":
		return decode(charmap.ISO8859_1), nil
	}
	return nil, fault.New(fault.Invalid, "unknown-encoding",
		"The encoding %q is not known; give one of utf-8, utf-16le, utf-16be, windows-1252, iso-8859-1.", name)
}

func decode(e encoding.Encoding) transform.Transformer { return e.NewDecoder() }

// cleanText passes UTF-8 on, makes every line end (CRLF, CR) an LF, and refuses
// what is not UTF-8 with the line where it stands.
type cleanText struct{ line int }

// Reset implements transform.Transformer.
func (c *cleanText) Reset() { c.line = 1 }

// Transform implements transform.Transformer.
func (c *cleanText) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		b, size := src[nSrc], 1
		switch {
		case b == '\r':
			if nSrc+1 == len(src) && !atEOF {
				return nDst, nSrc, transform.ErrShortSrc
			}
			b = '\n'
			if nSrc+1 < len(src) && src[nSrc+1] == '\n' {
				size = 2
			}
		case b >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRune(src[nSrc:])
			if r == utf8.RuneError && size <= 1 {
				if !atEOF && !utf8.FullRune(src[nSrc:]) {
					return nDst, nSrc, transform.ErrShortSrc
				}
				return nDst, nSrc, fault.New(fault.Invalid, "not-utf-8",
					"Line %d of the file is not UTF-8 text. Save the file as \"CSV UTF-8\", or name its encoding (such as windows-1252).", c.line)
			}
			if nDst+size > len(dst) {
				return nDst, nSrc, transform.ErrShortDst
			}
			nDst += copy(dst[nDst:], src[nSrc:nSrc+size])
			nSrc += size
			continue
		}
		if nDst == len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		dst[nDst] = b
		nDst++
		nSrc += size
		if b == '\n' {
			c.line++
		}
	}
	return nDst, nSrc, nil
}

// recordLimit fails a reader that has to give more than maxRecord bytes for one
// record.
type recordLimit struct {
	r io.Reader
	n int
}

func (l *recordLimit) Read(p []byte) (int, error) {
	if l.n > maxRecord {
		return 0, errRecordTooLong
	}
	n, err := l.r.Read(p)
	l.n += n
	return n, err
}

func (l *recordLimit) next() { l.n = 0 }

var errRecordTooLong = fmt.Errorf("a record is longer than %d KiB", maxRecord>>10)

// counted tells how much of a file was read.
type counted struct {
	r    io.Reader
	n    int64
	tell func(int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}
