package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// Event is an event as proposed by a writer.
type Event struct {
	ID       [16]byte
	Type     string
	JSON     bool // content type application/json; false means application/octet-stream
	Data     []byte
	Metadata []byte
}

// Size is what the event weighs against the limit of one append, in bytes.
func (e *Event) Size() int { return len(e.Type) + len(e.Data) + len(e.Metadata) }

// Record is an event as it was written. Its byte slices belong to the journal and are valid only during the call that
// hands it out.
type Record struct {
	Position uint64
	Revision int64
	ID       [16]byte
	Created  int64 // 100 ns ticks since the Unix epoch
	JSON     bool
	Stream   []byte
	Type     []byte
	Metadata []byte
	Data     []byte
}

// Clone makes a record that outlives the call that handed it out.
func (r *Record) Clone() *Record {
	c := *r
	c.Stream, c.Type = bytes.Clone(r.Stream), bytes.Clone(r.Type)
	c.Metadata, c.Data = bytes.Clone(r.Metadata), bytes.Clone(r.Data)
	return &c
}

// A record on disk: CRC-32C over the position and all that follows it, then layout, flags, id, created, and the fields
// of varying length, each behind its length; the data takes the rest.
const (
	recordLayout = 1
	flagJSON     = 1
	recordFixed  = 4 + 1 + 1 + 16 + 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func recordSize(stream string, revision int64, e *Event) int {
	return recordFixed + uvarintLen(uint64(revision)) +
		uvarintLen(uint64(len(stream))) + len(stream) +
		uvarintLen(uint64(len(e.Type))) + len(e.Type) +
		uvarintLen(uint64(len(e.Metadata))) + len(e.Metadata) +
		len(e.Data)
}

// putRecord writes the record into dst, which has exactly recordSize bytes.
func putRecord(dst []byte, position uint64, stream string, revision, created int64, e *Event) {
	b := append(dst[:4:cap(dst)], recordLayout)
	var flags byte
	if e.JSON {
		flags |= flagJSON
	}
	b = append(b, flags)
	b = append(b, e.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(created))
	b = binary.AppendUvarint(b, uint64(revision))
	b = binary.AppendUvarint(b, uint64(len(stream)))
	b = append(b, stream...)
	b = binary.AppendUvarint(b, uint64(len(e.Type)))
	b = append(b, e.Type...)
	b = binary.AppendUvarint(b, uint64(len(e.Metadata)))
	b = append(b, e.Metadata...)
	b = append(b, e.Data...)
	binary.BigEndian.PutUint32(b, checksum(position, b[4:]))
}

// parseRecord reads a record back and verifies its checksum; ok is false when it is not what was written.
func parseRecord(position uint64, src []byte) (r Record, ok bool) {
	if len(src) < recordFixed || binary.BigEndian.Uint32(src) != checksum(position, src[4:]) || src[4] != recordLayout {
		return r, false
	}
	r.Position = position
	r.JSON = src[5]&flagJSON != 0
	copy(r.ID[:], src[6:])
	r.Created = int64(binary.BigEndian.Uint64(src[22:]))
	rest := src[recordFixed:]
	revision, n := binary.Uvarint(rest)
	if n <= 0 {
		return r, false
	}
	r.Revision, rest = int64(revision), rest[n:]
	for _, field := range []*[]byte{&r.Stream, &r.Type, &r.Metadata} {
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) {
			return r, false
		}
		*field, rest = rest[n:n+int(size)], rest[n+int(size):]
	}
	r.Data = rest
	return r, true
}

// checksum covers the position too, so that a record found under another key is not taken for good.
func checksum(position uint64, body []byte) uint32 {
	var p [8]byte
	binary.BigEndian.PutUint64(p[:], position)
	return crc32.Update(crc32.Checksum(p[:], castagnoli), castagnoli, body)
}

func uvarintLen(v uint64) int {
	n := 1
	for v >= 0x80 {
		v >>= 7
		n++
	}
	return n
}
