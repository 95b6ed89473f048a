// Package search brings text into the one form in which it is kept to be
// searched and in which it is searched for: whoever writes and whoever asks use
// the same. It knows nothing of what is searched.
package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Normal returns a text without the differences that people do not mean: case,
// accents, width, and how much blank is where.
func Normal(text string) string {
	if ascii(text) {
		return strings.Join(strings.Fields(strings.ToLower(text)), " ")
	}
	text = norm.NFKD.String(strings.ToLower(norm.NFKD.String(text)))
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == 'ς':
			return 'σ'
		}
		return r
	}, text)
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "ß", "ss")), " ")
}

// Words returns the parts of a text, in their normal form and each once, that
// must all be found.
func Words(text string) []string {
	var words []string
	seen := map[string]bool{}
	for _, w := range strings.Fields(Normal(text)) {
		if !seen[w] {
			seen[w] = true
			words = append(words, w)
		}
	}
	return words
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
