package search

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// gramSize is how many characters a gram has.
const gramSize = 3

// Grams returns what an index of texts holds of one text in its normal form: a
// number for each sequence of three characters within its words, in ascending
// order and each once. Different sequences may have the same number, so what is
// found by numbers is to be looked at again. The numbers of organisations differ:
// no list of the index grows with what others have.
func Grams(org uuid.UUID, normal string) []int32 {
	seed := offset
	for _, b := range org {
		seed = (seed ^ uint32(b)) * prime
	}
	grams := make([]int32, 0, len(normal))
	for word := range strings.FieldsSeq(normal) {
		for start, end := 0, width(word, 0, gramSize); end > 0; {
			h := seed
			for _, b := range []byte(word[start:end]) {
				h = (h ^ uint32(b)) * prime
			}
			grams = append(grams, int32(h))
			start += width(word, start, 1)
			if end == len(word) {
				break
			}
			end += width(word, end, 1)
		}
	}
	slices.Sort(grams)
	return slices.Compact(grams)
}

// The parameters of FNV-1a with 32 bits.
const (
	offset uint32 = 2166136261
	prime  uint32 = 16777619
)

// width is how many bytes n characters from a place on take; 0 when there are
// fewer.
func width(s string, from, n int) int {
	at := from
	for range n {
		if at == len(s) {
			return 0
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at - from
}
