package readapi

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Appending rows to an answer without building values first: what Postgres sent
// in its binary form becomes JSON in one step.

// pgEpoch is Postgres' zero time.
var pgEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func appendUUID(b []byte, id uuid.UUID) []byte { return appendRawUUID(b, id[:]) }

// appendRawUUID appends the 36 characters of a UUID of 16 bytes.
func appendRawUUID(b, id []byte) []byte {
	var t [36]byte
	hex.Encode(t[0:8], id[0:4])
	t[8] = '-'
	hex.Encode(t[9:13], id[4:6])
	t[13] = '-'
	hex.Encode(t[14:18], id[6:8])
	t[18] = '-'
	hex.Encode(t[19:23], id[8:10])
	t[23] = '-'
	hex.Encode(t[24:36], id[10:16])
	return append(b, t[:]...)
}

// appendIDOrNull appends a UUID in quotes, or null for an SQL null.
func appendIDOrNull(b, id []byte) []byte {
	if len(id) != 16 {
		return append(b, "null"...)
	}
	b = append(b, '"')
	return append(appendRawUUID(b, id), '"')
}

// appendText appends a JSON string.
func appendText[T ~[]byte | ~string](b []byte, text T) []byte {
	out, err := jsontext.AppendQuote(b, text)
	if err != nil { // not UTF-8, which Postgres does not store
		return append(b, `""`...)
	}
	return out
}

// appendTime appends a timestamptz of 8 bytes.
func appendTime(b, micros []byte) []byte {
	if len(micros) != 8 {
		return append(b, "null"...)
	}
	t := pgEpoch.Add(time.Duration(int64(binary.BigEndian.Uint64(micros))) * time.Microsecond)
	b = append(b, '"')
	return append(t.AppendFormat(b, time.RFC3339Nano), '"')
}

// appendCount appends a bigint of 8 bytes as a JSON string.
func appendCount(b, n []byte) []byte {
	if len(n) != 8 {
		return append(b, "null"...)
	}
	b = append(b, '"')
	return append(strconv.AppendInt(b, int64(binary.BigEndian.Uint64(n)), 10), '"')
}

// days is a date as Postgres sends it: days since its epoch.
type days int32

func daysOf(t time.Time) days {
	y, m, d := t.Date()
	return days(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(pgEpoch) / (24 * time.Hour))
}

func (d days) time() time.Time { return pgEpoch.AddDate(0, 0, int(d)) }

func daysOfRaw(raw []byte) days {
	if len(raw) != 4 {
		return 0
	}
	return days(binary.BigEndian.Uint32(raw))
}
