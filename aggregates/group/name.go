package group

import (
	"strings"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"waybill/events/fault"
)

// NameOfAll is the reserved name of the ALL group.
const NameOfAll = "ALL"

// maxName is the longest name of a group or code, in characters.
const maxName = 200

// Tidy returns a name as it is kept and shown: no blanks around it, single
// spaces within.
func Tidy(name string) string { return strings.Join(strings.Fields(name), " ") }

// NormalName returns the form in which names are compared: tidy, in Unicode
// NFKC, case-folded.
func NormalName(name string) string {
	// Folding swaps the two cases of Cherokee letters instead of making one of
	// them, hence the small letters after it. It may undo the normal form, and the
	// normal form may bring blanks, so the last steps are repeated.
	return Tidy(norm.NFKC.String(strings.ToLower(cases.Fold().String(norm.NFKC.String(Tidy(name))))))
}

// NormalCode returns the form in which customer codes are compared; that of
// names.
func NormalCode(code string) string { return NormalName(code) }

// CheckName reports what is wrong with the name of a new group, as a fault of
// kind Invalid about the field.
func CheckName(field, name string) error {
	if err := checkText(field, name); err != nil {
		return err
	}
	if NormalName(name) == NormalName(NameOfAll) {
		return fault.InvalidField(field, "the name %q is reserved for the organisation itself", NameOfAll)
	}
	return nil
}

// CheckCode reports what is wrong with a customer code, as a fault of kind
// Invalid about the field.
func CheckCode(field, code string) error { return checkText(field, code) }

func checkText(field, text string) error {
	switch {
	case NormalName(text) == "":
		return fault.InvalidField(field, "is required")
	case len([]rune(text)) > maxName:
		return fault.InvalidField(field, "must have at most %d characters", maxName)
	case strings.ContainsFunc(Tidy(text), func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }):
		return fault.InvalidField(field, "must hold no control characters")
	}
	return nil
}

// AllID returns the id of an organisation's ALL group: UUIDv5 (RFC 9562) of the
// reserved name in the organisation's namespace.
func AllID(org uuid.UUID) uuid.UUID { return uuid.NewSHA1(org, []byte(NameOfAll)) }
