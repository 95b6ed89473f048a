package forwarded

import "strings"

// last divides a list at its last separator; the whole is one element when there
// is none. With quoted, a separator between double quotes divides nothing. It reads
// from the end: what a proxy has added there means the same whatever stands before
// it, such as a quote that is never closed.
func last(list string, separator byte, quoted bool) (element, before string) {
	inside := false
	for i := len(list) - 1; i >= 0; i-- {
		switch c := list[i]; {
		case quoted && c == '"':
			inside = !inside
		case c == separator && !inside:
			return list[i+1:], list[:i]
		}
	}
	return list, ""
}

// forOf returns the node of an element of Forwarded (RFC 7239, section 4), such as
// for="[2001:db8::1]:4711";proto=https. An element without one, or with two, names
// nobody.
func forOf(element string) (string, bool) {
	node, found := "", false
	for rest := element; rest != ""; {
		var pair string
		pair, rest = last(rest, ';', true)
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || !strings.EqualFold(name, "for") {
			continue
		}
		if found {
			return "", false
		}
		found = true
		if node, ok = unquote(value); !ok {
			return "", false
		}
	}
	return node, found
}

// unquote returns a token, or what a quoted string says.
func unquote(value string) (string, bool) {
	inside, ok := strings.CutPrefix(value, `"`)
	if !ok {
		return value, !strings.ContainsAny(value, `"\`)
	}
	var b strings.Builder
	for i := 0; i < len(inside); i++ {
		switch c := inside[i]; c {
		case '\\':
			if i++; i == len(inside) {
				return "", false
			}
			b.WriteByte(inside[i])
		case '"':
			return b.String(), i == len(inside)-1
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
