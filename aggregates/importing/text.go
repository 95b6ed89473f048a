package importing

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"waybill/events/fault"
)

// maxRecord bounds one record of a text file, so that a quote left open does not
// swallow the file into memory.
const maxRecord = 1 << 20

// undecodable stands for bytes that are no text in the file's encoding, until the
// row that holds them is reported. It is a noncharacter: no text has it.
const undecodable = '\uFDD0'

// decoding turns a file's bytes into UTF-8.
type decoding struct {
	transform.Transformer
	// lost reports whether a character is what the transformer makes of bytes
	// that it cannot decode. Nil: none is.
	lost func(rune) bool
}

// decoderFor returns how to read a file. head is the beginning of the file, looked
// at for a byte order mark when no encoding is named.
func decoderFor(name string, head []byte) (decoding, error) {
	switch name {
	case "", "utf-8":
		// With a mark, what the mark says; without one, UTF-8, checked later.
		switch {
		case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
			return utf16(unicode.LittleEndian, unicode.ExpectBOM), nil
		case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
			return decoding{Transformer: unicode.BOMOverride(transform.Nop)}, nil
		}
		return decoding{Transformer: transform.Nop}, nil
	case "utf-16le":
		return utf16(unicode.LittleEndian, unicode.UseBOM), nil
	case "utf-16be":
		return utf16(unicode.BigEndian, unicode.UseBOM), nil
	case "windows-1252":
		return decoding{charmap.Windows1252.NewDecoder(), replaced}, nil // five bytes mean nothing there
	case "iso-8859-1":
		return decoding{Transformer: charmap.ISO8859_1.NewDecoder()}, nil
	}
	return decoding{}, fault.New(fault.Invalid, "unknown-encoding",
		"The encoding %q is not known; give one of utf-8, utf-16le, utf-16be, windows-1252, iso-8859-1.", name)
}

// utf16 is UTF-16, of which half a pair is lost.
func utf16(order unicode.Endianness, mark unicode.BOMPolicy) decoding {
	return decoding{unicode.UTF16(order, mark).NewDecoder(), replaced}
}

func replaced(r rune) bool { return r == utf8.RuneError }

// cleanText passes UTF-8 on, makes every line end (CRLF, CR) an LF, and puts
// undecodable where bytes are no UTF-8 or were lost before.
type cleanText struct{ lost func(rune) bool }

// Reset implements transform.Transformer.
func (cleanText) Reset() {}

// Transform implements transform.Transformer.
func (c cleanText) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
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
				r = undecodable
			} else if c.lost != nil && c.lost(r) {
				r = undecodable
			}
			if nDst+utf8.RuneLen(r) > len(dst) {
				return nDst, nSrc, transform.ErrShortDst
			}
			nDst += utf8.EncodeRune(dst[nDst:], r)
			nSrc += size
			continue
		}
		if nDst == len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		dst[nDst] = b
		nDst++
		nSrc += size
	}
	return nDst, nSrc, nil
}

// readable is a text as it can be shown.
func readable(s string) string { return strings.ReplaceAll(s, string(undecodable), "\uFFFD") }

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
