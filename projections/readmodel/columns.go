package readmodel

import (
	"bytes"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"waybill/events"
)

// Columns of one statement, in the forms that pgx sends without reflection.
type (
	ids      = pgtype.FlatArray[pgtype.UUID]
	texts    = pgtype.FlatArray[pgtype.Text]
	longs    = pgtype.FlatArray[int64]
	ints     = pgtype.FlatArray[int32]
	counts   = pgtype.FlatArray[pgtype.Int4]
	flags    = pgtype.FlatArray[bool]
	marks    = pgtype.FlatArray[pgtype.Int8] // positions
	switches = pgtype.FlatArray[pgtype.Bool]
	times    = pgtype.FlatArray[pgtype.Timestamptz]
	dates    = pgtype.FlatArray[pgtype.Date]
)

// id makes the zero UUID null.
func id(u uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: u, Valid: u != uuid.Nil} }

// idOf makes none and the zero UUID null.
func idOf(u *uuid.UUID) pgtype.UUID {
	if u == nil {
		return pgtype.UUID{}
	}
	return id(*u)
}

// text makes a string storable: Postgres takes no NUL.
func text(s string) pgtype.Text { return pgtype.Text{String: clean(s), Valid: true} }

// personal makes an erased field null.
func personal(p events.Personal) pgtype.Text {
	if p.Erased() {
		return pgtype.Text{}
	}
	return text(p.Text())
}

// document makes empty JSON null.
func document(json string) pgtype.Text { return pgtype.Text{String: json, Valid: json != ""} }

// instant makes the zero time null.
func instant(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

// recorded is a time that every event has.
func recorded(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: true} }

// mark makes position 0 null: no event is there.
func mark(position int64) pgtype.Int8 { return pgtype.Int8{Int64: position, Valid: position != 0} }

// turned makes an unchanged switch null.
func turned(b *bool) pgtype.Bool {
	if b == nil {
		return pgtype.Bool{}
	}
	return pgtype.Bool{Bool: *b, Valid: true}
}

// jsonText makes JSON storable as jsonb, which takes no escaped NUL.
func jsonText(b []byte) string {
	if !bytes.Contains(b, []byte(`\u0000`)) {
		return string(b)
	}
	return string(withoutNUL(b))
}

// withoutNUL replaces the escape of NUL, but not the same letters after an escaped
// backslash.
func withoutNUL(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		if bytes.HasPrefix(b[i:], []byte(`\u0000`)) {
			out = append(out, `\ufffd`...)
			i += len(`\u0000`) - 1
			continue
		}
		out = append(out, b[i], b[i+1])
		i++
	}
	return out
}

func clean(s string) string {
	if strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}
