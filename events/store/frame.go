package store

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"

	"waybill/events"
)

// frame is one message of a read or subscription, decoded from the wire without
// the generated types: a catch-up passes millions of them, and a map and a
// dozen objects per event are most of what it would cost.
type frame struct {
	kind   frameKind
	record events.Record   // of frameEvent
	at     events.Position // of frameCheckpoint
	types  map[string]string

	linked  bool      // the event was reached by a link
	link    uuid.UUID // the link's id then
	gone    bool      // and record is the link itself, its event being no more
	retries int32     // of a group's event

	bad error // why it could not be decoded; what gRPC makes of that looks like an outage
}

type frameKind uint8

const (
	frameOther frameKind = iota // something this package has no use for
	frameEvent
	frameConfirmation
	frameCheckpoint
	frameNoStream
	frameCaughtUp
)

// maxTypes bounds the event type names that a reader shares between its records.
const maxTypes = 1024

type malformed string

func (m malformed) Error() string { return "event store: malformed answer: " + string(m) }

// decode reads one ReadResp. The record keeps parts of b.
func (f *frame) decode(b []byte) error {
	*f = frame{types: f.types}
	f.bad = f.decodeResponse(b)
	return f.bad
}

func (f *frame) decodeResponse(b []byte) error {
	return fields(b, func(num protowire.Number, v []byte, _ uint64) error {
		switch num {
		case 1:
			f.kind = frameEvent
			return f.decodeReadEvent(v)
		case 2:
			f.kind = frameConfirmation
		case 3:
			f.kind = frameCheckpoint
			return f.decodeCheckpoint(v)
		case 4:
			f.kind = frameNoStream
		case 8:
			f.kind = frameCaughtUp
		}
		return nil
	})
}

func (f *frame) decodeCheckpoint(b []byte) error {
	return fields(b, func(num protowire.Number, _ []byte, n uint64) error {
		switch num {
		case 1:
			f.at.Commit = n
		case 2:
			f.at.Prepare = n
		}
		return nil
	})
}

// decodeReadEvent takes the event, or the link where its event is gone.
func (f *frame) decodeReadEvent(b []byte) error {
	var event, link []byte
	err := fields(b, func(num protowire.Number, v []byte, n uint64) error {
		switch num {
		case 1:
			event = v
		case 2:
			link = v
		case 5: // only groups send it
			f.retries = int32(n)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if link != nil {
		f.linked, f.gone = true, event == nil
		if err := f.decodeLinkID(link); err != nil {
			return err
		}
	}
	if event == nil {
		event = link
	}
	if event == nil {
		return malformed("a read event without an event")
	}
	return f.decodeRecord(event)
}

func (f *frame) decodeLinkID(b []byte) error {
	return fields(b, func(num protowire.Number, v []byte, _ uint64) error {
		if num == 1 {
			return decodeUUID(v, &f.link)
		}
		return nil
	})
}

func (f *frame) decodeRecord(b []byte) error {
	r := &f.record
	var created bool
	err := fields(b, func(num protowire.Number, v []byte, n uint64) error {
		switch num {
		case 1:
			return decodeUUID(v, &r.ID)
		case 2:
			return fields(v, func(num protowire.Number, v []byte, _ uint64) error {
				if num == 3 {
					r.Stream = string(v)
				}
				return nil
			})
		case 3:
			r.Revision = n
		case 4:
			r.Position.Prepare = n
		case 5:
			r.Position.Commit = n
		case 6:
			return f.decodeProperty(v, &created)
		case 7:
			r.Metadata = v
		case 8:
			r.Data = v
		}
		return nil
	})
	if err == nil && (!created || r.Stream == "") {
		err = malformed("an event without stream or time")
	}
	return err
}

// decodeProperty reads one entry of what the store itself keeps of an event.
func (f *frame) decodeProperty(b []byte, created *bool) error {
	var key, value []byte
	err := fields(b, func(num protowire.Number, v []byte, _ uint64) error {
		switch num {
		case 1:
			key = v
		case 2:
			value = v
		}
		return nil
	})
	if err != nil {
		return err
	}
	switch string(key) {
	case "type":
		f.record.Type = f.typeName(value)
	case "created":
		ticks, err := strconv.ParseInt(string(value), 10, 64) // of 100 ns since 1970
		if err != nil {
			return malformed(fmt.Sprintf("an event's time %.40q", value))
		}
		f.record.Created = time.Unix(ticks/1e7, ticks%1e7*100).UTC()
		*created = true
	}
	return nil
}

func (f *frame) typeName(b []byte) string {
	if s, ok := f.types[string(b)]; ok {
		return s
	}
	s := string(b)
	if f.types == nil {
		f.types = make(map[string]string)
	}
	if len(f.types) < maxTypes {
		f.types[s] = s
	}
	return s
}

func decodeUUID(b []byte, id *uuid.UUID) error {
	return fields(b, func(num protowire.Number, v []byte, _ uint64) error {
		switch num {
		case 1:
			return fields(v, func(num protowire.Number, _ []byte, n uint64) error {
				switch num {
				case 1:
					binary.BigEndian.PutUint64(id[:8], n)
				case 2:
					binary.BigEndian.PutUint64(id[8:], n)
				}
				return nil
			})
		case 2:
			var err error
			if *id, err = uuid.ParseBytes(v); err != nil {
				return malformed("an event's id")
			}
		}
		return nil
	})
}

// fields calls visit for every length-delimited or varint field of a message.
func fields(b []byte, visit func(num protowire.Number, v []byte, n uint64) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return malformed("a broken field")
		}
		b = b[n:]
		var v []byte
		var u uint64
		switch typ {
		case protowire.BytesType:
			v, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			u, n = protowire.ConsumeVarint(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return malformed("a broken field")
		}
		b = b[n:]
		if typ == protowire.BytesType || typ == protowire.VarintType {
			if err := visit(num, v, u); err != nil {
				return err
			}
		}
	}
	return nil
}
