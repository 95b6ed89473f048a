package readmodel

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"waybill/events"
	"waybill/events/search"
)

// fixed returns what never changes in a delivery, as members of a JSON object
// without its braces, so that an answer is put together and not encoded.
func fixed(p *events.DeliveryCreated) string {
	b := make([]byte, 0, 40)
	b = append(b, `"type":`...)
	b = quoted(b, p.Type)
	b = append(b, `,"attempt":`...)
	return string(strconv.AppendInt(b, int64(p.Attempt), 10))
}

// details returns what rarely changes, to be put behind what never does. It holds
// ids but no names that can change by themselves.
func details(d *events.DeliveryDetails) string {
	b := make([]byte, 0, 256)
	b = append(b, `,"do_number":`...)
	b = quoted(b, d.DONumber)
	b = append(b, `,"date":`...)
	b = quoted(b, d.Date)
	b = append(b, `,"item_count":`...)
	b = strconv.AppendInt(b, int64(len(d.Items)), 10)

	var erased []byte
	for _, f := range [...]struct {
		name  string
		value events.Personal
	}{{"address", d.Address}, {"recipient", d.Recipient}, {"phone", d.Phone}, {"email", d.Email}} {
		switch {
		case f.value.Erased():
			b = append(b, `,"`+f.name+`":null`...)
			if erased != nil {
				erased = append(erased, ',')
			}
			erased = append(erased, `"`+f.name+`"`...)
		case f.value.Text() != "":
			b = append(b, `,"`+f.name+`":`...)
			b = quoted(b, f.value.Text())
		}
	}
	if erased != nil {
		b = append(b, `,"erased":[`...)
		b = append(b, erased...)
		b = append(b, ']')
	}
	return string(b)
}

// searched returns what a delivery is found by: a line each for its D.O. number,
// its recipient and its address. What was erased is in none.
func searched(d *events.DeliveryDetails) string {
	return search.Normal(d.DONumber) + "\n" + search.Normal(d.Recipient.Text()) + "\n" + search.Normal(d.Address.Text())
}

// quoted appends s as a JSON string, cleaned for Postgres.
func quoted(b []byte, s string) []byte {
	b, err := jsontext.AppendQuote(b, clean(s))
	if err != nil {
		// Broken UTF-8 has been replaced in what was appended; events are JSON and
		// hold none.
		return b
	}
	return b
}
