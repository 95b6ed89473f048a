package access

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"waybill/events/fault"
)

// maxEmail is the longest address of RFC 5321, in bytes.
const maxEmail = 254

// NormaliseEmail returns the one form in which an e-mail is compared and kept:
// without blanks around it, in Unicode NFKC, in lower case. What cannot be an
// address is refused with kind Invalid; whether it exists is not looked at.
func NormaliseEmail(email string) (string, error) {
	// Lower case may undo the normal form, so it is made once more.
	e := strings.TrimSpace(norm.NFKC.String(strings.ToLower(norm.NFKC.String(email))))
	name, domain, ok := strings.Cut(e, "@")
	switch {
	case e == "":
		return "", fault.InvalidField("email", "is required")
	case len(e) > maxEmail:
		return "", fault.InvalidField("email", "must have at most %d bytes", maxEmail)
	case !ok || name == "" || domain == "" || strings.Contains(domain, "@"):
		return "", fault.InvalidField("email", "must look like name@example.com")
	case strings.ContainsFunc(e, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar }):
		return "", fault.InvalidField("email", "must hold no blanks or control characters")
	}
	return e, nil
}
