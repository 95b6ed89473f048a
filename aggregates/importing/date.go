package importing

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"waybill/events/fault"
)

// order is the order of day, month and year in a date of numbers only.
type order string

const (
	unsettled  order = ""
	dayFirst   order = "DMY"
	monthFirst order = "MDY"
	yearFirst  order = "YMD"
)

// orderOf reads what the caller named, such as "DD/MM/YYYY".
func orderOf(pattern string) (order, error) {
	var o strings.Builder
	for _, r := range strings.ToUpper(pattern) {
		if strings.ContainsRune("DMY", r) && !strings.HasSuffix(o.String(), string(r)) {
			o.WriteRune(r)
		}
	}
	switch got := order(o.String()); got {
	case unsettled, dayFirst, monthFirst, yearFirst:
		if got != unsettled || pattern == "" {
			return got, nil
		}
	}
	return "", fault.New(fault.Invalid, "unknown-date-order", "The date order %q is not known; give DD/MM/YYYY, MM/DD/YYYY or YYYY-MM-DD (any separator).", pattern)
}

// accepted says in words which dates an order takes.
func (o order) accepted() string {
	numeric := map[order]string{dayFirst: "31/12/2026", monthFirst: "12/31/2026", yearFirst: "26-12-31"}[o]
	if numeric == "" {
		return "2026-12-31 or 31-Dec-2026"
	}
	return "2026-12-31, 31-Dec-2026 or " + numeric
}

// dates reads the dates of one file.
type dates struct {
	order    order
	serial   bool // numbers are days since the epoch of a workbook
	from1904 bool

	// Evidence of the order, found while staging: the first row that can only
	// be read one way, and the first that can be read both ways.
	onlyDay, onlyMonth, either int
	eitherValue                string
}

// observe looks at a value for what it says about the order.
func (d *dates) observe(row int, value string) {
	a, b, _, ok := numbers(value)
	if d.order != unsettled || !ok || a < 1 || b < 1 {
		return
	}
	switch {
	case a > 12 && a <= 31 && b <= 12 && d.onlyDay == 0:
		d.onlyDay = row
	case b > 12 && b <= 31 && a <= 12 && d.onlyMonth == 0:
		d.onlyMonth = row
	case a <= 12 && b <= 12 && a != b && d.either == 0:
		d.either, d.eitherValue = row, value
	}
}

// settle decides the order from the evidence, or says why it cannot.
func (d *dates) settle(column string) error {
	switch {
	case d.order != unsettled:
	case d.onlyDay > 0 && d.onlyMonth > 0:
		return fault.New(fault.Invalid, "mixed-dates",
			"The dates in column %q contradict each other: row %d has the day first, row %d the month. Correct them, or give the order (such as DD/MM/YYYY) and rows that differ are reported.", column, d.onlyDay, d.onlyMonth)
	case d.onlyDay > 0:
		d.order = dayFirst
	case d.onlyMonth > 0:
		d.order = monthFirst
	case d.either > 0:
		return fault.New(fault.Invalid, "ambiguous-dates",
			"The dates in column %q, such as %q in row %d, can be read with the day or the month first, and no row settles it. Give the order: DD/MM/YYYY or MM/DD/YYYY.", column, d.eitherValue, d.either)
	}
	return nil
}

// parse returns a date as YYYY-MM-DD.
func (d *dates) parse(value string) (string, error) {
	if d.serial {
		if s, ok := serialDate(value, d.from1904); ok {
			return s, nil
		}
	}
	if a, b, last, ok := numbers(value); ok {
		switch {
		case d.order == yearFirst:
			return calendar(value, shortYear(a), b, atoi(last))
		case d.order == monthFirst:
			return calendar(value, fullYear(last), a, b)
		default: // also unsettled: then day and month are the same number
			return calendar(value, fullYear(last), b, a)
		}
	}
	p := split(value)
	if len(p) == 1 && len(p[0]) == 8 && isNumber(p[0]) {
		return calendar(value, atoi(p[0][:4]), atoi(p[0][4:6]), atoi(p[0][6:]))
	}
	if len(p) != 3 {
		return "", fmt.Errorf("%q is no date", shorten(value))
	}
	switch {
	case len(p[0]) == 4 && isNumber(p[0]) && isNumber(p[2]): // year first, month in numbers or letters
		month := monthNamed(p[1])
		if isNumber(p[1]) {
			month = atoi(p[1])
		}
		return calendar(value, atoi(p[0]), month, atoi(p[2]))
	case isNumber(p[0]) && isNumber(p[2]):
		return calendar(value, fullYear(p[2]), monthNamed(p[1]), atoi(p[0]))
	case isNumber(p[1]) && isNumber(p[2]):
		return calendar(value, fullYear(p[2]), monthNamed(p[0]), atoi(p[1]))
	}
	return "", fmt.Errorf("%q is no date", shorten(value))
}

// numbers divides a date of three numbers whose last, by itself, does not say
// where the year is: two of one or two digits, then the year.
func numbers(value string) (a, b int, last string, ok bool) {
	p := split(value)
	if len(p) != 3 || len(p[0]) > 2 || len(p[1]) > 2 || (len(p[2]) != 4 && len(p[2]) > 2) {
		return 0, 0, "", false
	}
	for _, s := range p {
		if !isNumber(s) {
			return 0, 0, "", false
		}
	}
	return atoi(p[0]), atoi(p[1]), p[2], true
}

// split divides a date at its separators. A time of day after an otherwise whole
// date is left out.
func split(value string) []string {
	value = strings.TrimSpace(value)
	if i := strings.IndexByte(value, ':'); i > 0 {
		if j := strings.LastIndexAny(value[:i], " T"); j > 0 && timeOfDay(value[j+1:]) {
			value = strings.TrimSpace(value[:j])
		}
	}
	if len(value) > 40 {
		return nil
	}
	return strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("-/., ", r) || unicode.IsSpace(r) })
}

func timeOfDay(s string) bool {
	for _, layout := range []string{"15:04", "15:04:05", "15:04:05.999999999"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

// calendar checks a date against the calendar.
func calendar(value string, year, month, day int) (string, error) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if month < 1 || year < 1900 || year > 2199 || t.Year() != year || int(t.Month()) != month || t.Day() != day {
		return "", fmt.Errorf("%q is no date of the calendar", shorten(value))
	}
	return t.Format(time.DateOnly), nil
}

// serialDate reads the number by which a workbook stores a date: days since the
// end of 1899 (counting a 29 February 1900 that never was), or since 1904.
func serialDate(value string, from1904 bool) (string, bool) {
	days, err := strconv.ParseFloat(value, 64)
	if err != nil || !(days >= 61 && days <= 109939) { // 1 March 1900 to the end of 2200
		return "", false
	}
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if from1904 {
		epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return epoch.AddDate(0, 0, int(math.Floor(days))).Format(time.DateOnly), true
}

func fullYear(s string) int {
	if len(s) == 4 {
		return atoi(s)
	}
	if len(s) > 2 || !isNumber(s) {
		return 0
	}
	return shortYear(atoi(s))
}

// shortYear completes a year of two digits: 69-99 are of the last century.
func shortYear(y int) int {
	switch {
	case y >= 69 && y <= 99:
		return 1900 + y
	case y < 69:
		return 2000 + y
	}
	return y
}

func monthNamed(s string) int {
	if len(s) < 3 {
		return 0
	}
	for m := time.January; m <= time.December; m++ {
		name := m.String()
		if len(s) <= len(name) && strings.EqualFold(s, name[:len(s)]) {
			return int(m)
		}
	}
	if strings.EqualFold(s, "sept") {
		return int(time.September)
	}
	return 0
}

func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// atoi reads digits that were checked and are few.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
