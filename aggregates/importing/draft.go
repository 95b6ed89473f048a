package importing

import "waybill/events"

// Draft is one delivery as a file describes it, made of all its rows. Texts are
// trimmed; what the file does not say is empty.
type Draft struct {
	Rows      []int  // the rows it was made of, ascending, as a spreadsheet numbers them; never empty
	Code      string // customer code as the file writes it; empty = untagged
	Type      string // events.TypeDelivery or events.TypeCollection
	DONumber  string
	Date      string // YYYY-MM-DD
	Address   string
	Recipient string
	Phone     string
	Email     string
	Items     []events.Item // in the order of the rows; empty when the rows name no items
}

// Row is the first of the draft's rows, by which reports name it.
func (d Draft) Row() int { return d.Rows[0] }

// Rejection is one row that was not taken, and why.
type Rejection struct {
	Row    int    `json:"row"`             // 1-based, header included; 0 = the file as a whole
	Column string `json:"column,omitzero"` // header of the column at fault; empty when it is no single one
	Value  string `json:"value,omitzero"`  // what stands there, shortened
	Reason string `json:"reason"`          // what is wrong and what would be right
	Number string `json:"number,omitzero"` // D.O. number of the delivery, where known
}

// Note is something that a person should know about rows that were taken.
type Note struct {
	Row  int    `json:"row"`
	Text string `json:"text"`
}
