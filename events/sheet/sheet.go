// Package sheet is what delivery files that are written and delivery files that
// are read have in common: the words of their header, and how a value that a
// spreadsheet program would take for a formula stands in a text file. It knows
// nothing of what the values mean.
package sheet

import (
	"strings"
	"unicode"
)

// Header returns the titles of the columns that hold a delivery and one of its
// items, in the order in which they are written.
func Header() []string {
	return []string{"Customer Code", "D.O. Number", "Date", "Type", "Address", "Recipient", "Phone", "E-mail",
		"Line ID", "SKU", "Description", "Quantity", "Unit"}
}

// Guard returns a value so that no spreadsheet program that opens a text file
// runs it as a formula: an apostrophe stands before what begins like one, and
// before what would look as if it had been guarded. [Plain] undoes it.
func Guard(value string) string {
	if formula(strings.TrimLeft(value, "'")) {
		return "'" + value
	}
	return value
}

// Plain takes off the apostrophe that [Guard], or a person for the same reason,
// has put before a value.
func Plain(value string) string {
	rest, quoted := strings.CutPrefix(value, "'")
	if quoted && formula(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return value
}

// formula reports whether a value begins as formulas do, or with a control
// character that some programs skip before they look.
func formula(value string) bool {
	if strings.HasPrefix(value, "\t") || strings.HasPrefix(value, "\r") || strings.HasPrefix(value, "\n") {
		return true
	}
	for _, r := range value {
		if !unicode.IsSpace(r) {
			return strings.ContainsRune("=+-@＝＋－＠", r)
		}
	}
	return false
}
