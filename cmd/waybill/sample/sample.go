// Package sample is the delivery file that waybill ships for its demo: an export
// as a warehouse system writes it, of invented customers and people. The test
// beside it holds the rows that the file was made from, and makes it anew.
package sample

import _ "embed"

// Name is the file's name.
const Name = "warehouse-export.xlsx"

// What the file holds.
const (
	Deliveries = 92
	Items      = 179
	Groups     = 5 // customer codes; one delivery has none and stays untagged
)

//go:embed warehouse-export.xlsx
var workbook []byte

// Workbook returns the bytes of the file; not to be modified.
func Workbook() []byte { return workbook }
