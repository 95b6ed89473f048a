package route

import (
	"strings"

	"github.com/google/uuid"
)

// Sample returns the id that stands for a thing of a kind in examples, such as
// "group": always the same one for the same word.
func Sample(kind string) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("waybill example: "+kind))
}

// Kind returns what a parameter of the path is about, in the singular: "user" for
// id in /v1/users/{id}, "group" for group. Parameters called id are about what
// the path says before them.
func (r Route) Kind(param string) string {
	if param != "id" {
		return param
	}
	before, _, _ := strings.Cut(r.Path, "/{id")
	return Singular(before[strings.LastIndexByte(before, '/')+1:])
}

// Singular returns the singular of a plural as paths and lists have them:
// "delivery" for "deliveries". Other words stay.
func Singular(word string) string {
	if stem, ok := strings.CutSuffix(word, "ies"); ok {
		return stem + "y"
	}
	if strings.HasSuffix(word, "ss") {
		return word
	}
	return strings.TrimSuffix(word, "s")
}

// Sample returns what stands for a parameter of the path in examples.
func (r Route) Sample(param string) string {
	if !r.Identifies(param) {
		return "APL"
	}
	return Sample(r.Kind(param)).String()
}

// Identifies reports whether a parameter of the path is the id of something; the
// others are text.
func (r Route) Identifies(param string) bool { return param != "code" }
