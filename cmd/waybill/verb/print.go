package verb

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// Print writes an answer for people: its members line by line, lists of things as
// tables. Columns are those of the verb's list, where it has one.
func (v Verb) Print(w io.Writer, answer jsontext.Value, header bool) error {
	if v.Route.Columns != nil {
		if rows, ok := Rows(answer); ok {
			return table(w, "", v.Route.Columns, rows, header)
		}
	}
	if answer.Kind() != '{' {
		_, err := fmt.Fprintln(w, Tame(text(answer)))
		return err
	}
	return printObject(w, answer)
}

// Rows returns the things of a list: the elements of its first member that is an
// array.
func Rows(answer jsontext.Value) (rows []jsontext.Value, ok bool) {
	if answer.Kind() != '{' {
		return nil, false
	}
	err := each(answer, func(_ string, value jsontext.Value) {
		if !ok && value.Kind() == '[' {
			rows, ok = elements(value), true
		}
	})
	return rows, ok && err == nil
}

// Member returns the text of a member of an answer, which can be the member of a
// member: "organisation.id". Empty for null and for what is not there.
func Member(answer jsontext.Value, name string) string {
	first, rest, nested := strings.Cut(name, ".")
	out := ""
	if answer.Kind() != '{' {
		return ""
	}
	_ = each(answer, func(n string, value jsontext.Value) {
		switch {
		case n != first || value.Kind() == 'n':
		case nested:
			out = Member(value, rest)
		default:
			out = text(value)
		}
	})
	return out
}

func elements(array jsontext.Value) []jsontext.Value {
	dec := jsontext.NewDecoder(strings.NewReader(string(array)))
	if _, err := dec.ReadToken(); err != nil {
		return nil
	}
	var out []jsontext.Value
	for dec.PeekKind() != ']' {
		value, err := dec.ReadValue()
		if err != nil {
			return out
		}
		out = append(out, value.Clone())
	}
	return out
}

// printObject writes the members that are values, then those that are lists of
// things.
func printObject(w io.Writer, answer jsontext.Value) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	type list struct {
		name string
		rows []jsontext.Value
	}
	var lists []list
	var walk func(under string, object jsontext.Value)
	walk = func(under string, object jsontext.Value) {
		_ = each(object, func(name string, value jsontext.Value) {
			name = under + name
			switch rows := []jsontext.Value(nil); value.Kind() {
			case '{':
				walk(name+".", value)
			case '[':
				if rows = elements(value); len(rows) > 0 && rows[0].Kind() == '{' {
					lists = append(lists, list{name, rows})
					return
				}
				fallthrough
			default:
				fmt.Fprintf(t, "%s\t%s\n", Tame(name), cell(value))
			}
		})
	}
	walk("", answer)
	if err := t.Flush(); err != nil {
		return err
	}
	for _, l := range lists {
		fmt.Fprintf(w, "%s\n", Tame(l.name))
		if err := table(w, "  ", columns(l.rows), l.rows, true); err != nil {
			return err
		}
	}
	return nil
}

// columns are the members of things, as they come.
func columns(rows []jsontext.Value) []string {
	var names []string
	for _, row := range rows {
		_ = each(row, func(name string, _ jsontext.Value) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		})
	}
	return names
}

func table(w io.Writer, indent string, names []string, rows []jsontext.Value, header bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if header {
		fmt.Fprintf(t, "%s%s\n", indent, strings.ToUpper(strings.Join(names, "\t")))
	}
	for _, row := range rows {
		values := map[string]jsontext.Value{}
		_ = each(row, func(name string, value jsontext.Value) { values[name] = value })
		cells := make([]string, len(names))
		for i, name := range names {
			cells[i] = cell(values[name])
		}
		fmt.Fprintf(t, "%s%s\n", indent, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

// cell writes one value: lists with commas, nothing as a dash.
func cell(value jsontext.Value) string {
	switch {
	case len(value) == 0 || value.Kind() == 'n':
		return "-"
	case value.Kind() == '[':
		list := texts(elements(value))
		if len(list) == 0 {
			return "-"
		}
		return Tame(strings.Join(list, ", "))
	default:
		if s := text(value); s != "" {
			return Tame(s)
		}
		return "-"
	}
}

// Tame makes text that others wrote safe to be shown: what could move the cursor,
// colour or hide something stands there as its code.
func Tame(s string) string {
	if !strings.ContainsFunc(s, wild) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if wild(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func wild(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
