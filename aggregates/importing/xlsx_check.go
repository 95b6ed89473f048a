package importing

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"waybill/events/fault"
)

// checkSheets reads the sheets of a workbook once as XML. The library that reads
// cells takes a syntax error, such as a control character in a value, for the end
// of the sheet: the rows after it would be left out without a word.
func checkSheets(file, name string) error {
	z, err := zip.OpenReader(file)
	if err != nil {
		return badWorkbook(name, err)
	}
	defer z.Close()
	for _, part := range z.File {
		if !strings.EqualFold(path.Dir(part.Name), "xl/worksheets") || !strings.EqualFold(path.Ext(part.Name), ".xml") {
			continue
		}
		if err := checkSheet(part, name); err != nil {
			return err
		}
	}
	return nil
}

func checkSheet(part *zip.File, name string) error {
	r, err := part.Open()
	if err != nil {
		return badWorkbook(name, err)
	}
	defer r.Close()
	row := "1"
	for dec := xml.NewDecoder(io.LimitReader(r, maxUnzipped)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "bad-workbook",
				"%s is damaged in or after row %s of a sheet (%s), so the rows behind it cannot be read; save it again from a spreadsheet program, or export CSV", name, row, path.Base(part.Name))
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "row" {
			row = rowNumber(start, row)
		}
	}
}

// rowNumber returns the number that a row says it has; last when it says none.
func rowNumber(row xml.StartElement, last string) string {
	for _, a := range row.Attr {
		if a.Name.Local == "r" {
			return shorten(a.Value)
		}
	}
	return fmt.Sprintf("%s or later", strings.TrimSuffix(last, " or later"))
}
