package main

import (
	"fmt"
	"unicode/utf8"

	"waybill/aggregates/importing"
)

// fileFlags say how to read a delivery file.
type fileFlags struct {
	Column    map[string]string `mapsep:"none" group:"file" placeholder:"FIELD=HEADER" help:"Which column holds a field, as --column group='project code'; repeat for more. Fields: group, number, date, type, address, recipient, phone, email, item, sku, description, quantity, unit. '-' = no such column. Default: found by the usual names."`
	DateOrder string            `group:"file" placeholder:"ORDER" help:"Order of dates in numbers: DD/MM/YYYY, MM/DD/YYYY or YYYY-MM-DD. Default: found from the values."`
	Encoding  string            `group:"file" placeholder:"NAME" help:"Encoding of a text file: utf-8, utf-16le, utf-16be, windows-1252, iso-8859-1. Default: utf-8, or what its mark says."`
	Delimiter string            `group:"file" placeholder:"CHAR" help:"What divides the columns of a text file: , ; | or tab. Default: found from the header."`
	Sheet     string            `group:"file" placeholder:"NAME" help:"Sheet of a workbook. Default: the first."`
}

// config returns the flags as the importing package takes them.
func (f fileFlags) config() (importing.Config, error) {
	c := importing.Config{Columns: map[importing.Field]string{}, DateOrder: f.DateOrder, Encoding: f.Encoding, Sheet: f.Sheet}
	for field, header := range f.Column {
		c.Columns[importing.Field(field)] = header
	}
	switch d := f.Delimiter; {
	case d == "":
	case d == "tab" || d == `\t`:
		c.Delimiter = '\t'
	case utf8.RuneCountInString(d) == 1:
		c.Delimiter, _ = utf8.DecodeRuneInString(d)
	default:
		return c, &usageError{fmt.Errorf("--delimiter takes one character, or tab, not %q", d)}
	}
	return c, nil
}
