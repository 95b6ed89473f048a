package importing

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"waybill/events/fault"
)

// usualNames are the headers under which fields are found when the caller names
// none, in normal form.
func usualNames(f Field) []string {
	switch f {
	case Group:
		return []string{"customer code", "customer", "client code", "group", "account code"}
	case Number:
		return []string{"d.o. number", "d.o. no.", "do number", "do no.", "do no", "do #", "delivery order", "delivery number", "delivery no.", "order number"}
	case Date:
		return []string{"date", "delivery date", "d.o. date", "do date"}
	case Type:
		return []string{"type", "job type", "delivery type"}
	case Address:
		return []string{"address", "delivery address", "ship to address", "ship-to address"}
	case Recipient:
		return []string{"recipient", "deliver to", "recipient name", "contact", "ship to"}
	case Phone:
		return []string{"phone", "phone no.", "telephone", "recipient phone"}
	case Email:
		return []string{"e-mail", "email", "recipient e-mail", "recipient email"}
	case Item:
		return []string{"line id", "row id", "item id"}
	case SKU:
		return []string{"sku", "item code", "article", "article no."}
	case Description:
		return []string{"description", "item description", "item", "item name"}
	case Quantity:
		return []string{"quantity", "qty"}
	case Unit:
		return []string{"unit", "uom", "unit of measure"}
	}
	return nil
}

// columns says where each field stands in a row.
type columns struct {
	at     []int    // index into a row's cells by place in Fields(); -1 = no such column
	header []string // the headers as the file writes them, by the same place
	width  int      // number of cells of the header
}

// findColumns reads the header.
func findColumns(cfg Config, name string, header []string) (*columns, error) {
	header = slices.Clone(header)
	for len(header) > 0 && strings.TrimSpace(header[len(header)-1]) == "" {
		header = header[:len(header)-1]
	}
	places := map[string][]int{}
	for i, h := range header {
		places[normal(h)] = append(places[normal(h)], i)
	}
	c := &columns{width: len(header)}
	for _, f := range Fields() {
		at, err := place(cfg, name, f, header, places)
		if err != nil {
			return nil, err
		}
		c.at = append(c.at, at)
		title := ""
		if at >= 0 {
			title = strings.TrimSpace(header[at])
		}
		c.header = append(c.header, title)
	}
	return c, nil
}

func place(cfg Config, name string, f Field, header []string, places map[string][]int) (int, error) {
	want, given := cfg.Columns[f]
	if given && (want == NoColumn || want == "") {
		return -1, nil // Check refused it for what a delivery must have
	}
	names := usualNames(f)
	if given {
		names = []string{want}
	}
	for _, n := range names {
		switch at := places[normal(n)]; {
		case len(at) == 1:
			return at[0], nil
		case len(at) > 1:
			return 0, fault.New(fault.Invalid, "double-column", "%s has %d columns named %q (numbers %d and %d), so it is not clear which holds the %s; rename one of them.",
				name, len(at), header[at[0]], at[0]+1, at[1]+1, f)
		}
	}
	switch {
	case given:
		return 0, fault.New(fault.Invalid, "missing-column", "%s has no column %q (given for %s); its columns are: %s.", name, want, f, titles(header))
	case f == Group:
		return 0, fault.New(fault.Invalid, "missing-column", "%s has no column with a customer code; name it with group='…', or say group=%s if there is none (every delivery is then untagged). Its columns are: %s.", name, NoColumn, titles(header))
	case f == Number || f == Date:
		return 0, fault.New(fault.Invalid, "missing-column", "%s has no column that looks like the %s of a delivery; name it with %s='…'. Its columns are: %s.", name, f, f, titles(header))
	}
	return -1, nil
}

func titles(header []string) string {
	const most = 50
	var b strings.Builder
	for i, h := range header {
		if i == most {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(shorten(strings.TrimSpace(h)))
	}
	return b.String()
}

// normal is the form in which headers and codes are compared: trimmed, blanks
// collapsed, compatibility forms and case folded.
func normal(s string) string {
	s = strings.Join(strings.FieldsFunc(s, unicode.IsSpace), " ")
	return cases.Fold().String(norm.NFKC.String(s))
}
