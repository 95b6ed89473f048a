package importing

import (
	"fmt"
	"slices"
	"strings"

	"waybill/events/fault"
)

// Field is one piece of a delivery that a column of the file can hold.
type Field string

// The fields. Number and Date are required; Group is required too, unless the
// caller says that there is no such column (see [NoColumn]).
const (
	Group       Field = "group"       // customer code
	Number      Field = "number"      // D.O. number
	Date        Field = "date"        // date of the delivery
	Type        Field = "type"        // "delivery" (also when empty) or "collection"
	Address     Field = "address"     // where to
	Recipient   Field = "recipient"   // name of the person who receives it
	Phone       Field = "phone"       // of the recipient
	Email       Field = "email"       // of the recipient
	Item        Field = "item"        // the row's own id, identity of the item; without it, the row number
	SKU         Field = "sku"         // article number of the item
	Description Field = "description" // of the item
	Quantity    Field = "quantity"    // of the item, a whole number; 1 when empty
	Unit        Field = "unit"        // of the quantity
)

// Fields lists every field, in the order in which people are shown them.
func Fields() []Field {
	return []Field{Group, Number, Date, Type, Address, Recipient, Phone, Email, Item, SKU, Description, Quantity, Unit}
}

// NoColumn is given as the column of a field that the file does not have, even if
// a header looks like it.
const NoColumn = "-"

// Config says how to read a file. The zero value reads a file whose headers are
// of the usual names, whose text is UTF-8 or UTF-16 with a mark, and whose dates
// are unambiguous.
type Config struct {
	// Columns names the header of a field, compared without regard to case and
	// blanks. A field left out is looked for under its usual names.
	Columns map[Field]string

	// DateOrder is the order of day, month and year in dates written with
	// numbers only, such as "DD/MM/YYYY" (any separator will do). Defaults to
	// finding it from values that can be read in one way only.
	DateOrder string

	// Encoding of a text file: "utf-8", "utf-16le", "utf-16be", "windows-1252"
	// or "iso-8859-1". Defaults to UTF-8, or to what a byte order mark says.
	Encoding string

	// Delimiter of a text file. Defaults to the one of comma, semicolon, tab and
	// bar that divides the header best.
	Delimiter rune

	// Sheet of a workbook. Defaults to the first.
	Sheet string

	// TempDir is where rows are staged, in files that are gone with [File.Close]
	// or with the process. Defaults to the system's.
	TempDir string

	// SortMemory is how many bytes of rows are sorted in memory at a time.
	// Defaults to 16 MiB.
	SortMemory int

	// Rejected is told of every row that is not taken, in no particular order,
	// by the goroutine that stages or iterates. May be nil.
	Rejected func(Rejection)

	// Noted is told what a person should know. May be nil.
	Noted func(Note)

	// Progress is told, while staging, how many bytes of the file's size were
	// read; for a workbook, how many rows, with a size of 0. May be nil.
	Progress func(read, size int64)
}

func (c Config) withDefaults() (Config, error) {
	if c.SortMemory <= 0 {
		c.SortMemory = 16 << 20
	}
	if c.Rejected == nil {
		c.Rejected = func(Rejection) {}
	}
	if c.Noted == nil {
		c.Noted = func(Note) {}
	}
	if c.Progress == nil {
		c.Progress = func(int64, int64) {}
	}
	return c, c.Check()
}

// Check says what is wrong with the configuration, as far as it can be told
// without a file. Errors: Invalid.
func (c Config) Check() error {
	for f, header := range c.Columns {
		switch {
		case !slices.Contains(Fields(), f):
			return fault.New(fault.Invalid, "unknown-field", "There is no field %q to give a column to; the fields are %s.", f, fieldList())
		case (header == NoColumn || header == "") && (f == Number || f == Date):
			return fault.New(fault.Invalid, "missing-column", "A delivery has a %s: name the column that holds it, as in %s='…'.", f, f)
		}
	}
	if _, err := orderOf(c.DateOrder); err != nil {
		return err
	}
	if _, err := decoderFor(c.Encoding, nil); err != nil {
		return err
	}
	if d := c.Delimiter; d == '"' || d == '\r' || d == '\n' || d > 0xFFFC {
		return fault.New(fault.Invalid, "wrong-delimiter", "The character %q cannot divide columns; give a comma, a semicolon, a tab or a bar.", d)
	}
	return nil
}

func fieldList() string {
	names := make([]string, 0, len(Fields()))
	for _, f := range Fields() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// shorten keeps a value from a file fit for an error text.
func shorten(s string) string {
	const most = 60
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return fmt.Sprintf("%s… (%d characters)", string(r[:most]), len(r))
}
