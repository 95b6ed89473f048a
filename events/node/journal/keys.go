package journal

import (
	"encoding/binary"
)

// The key space. One byte of kind, then fields that sort as they are read:
//
//	e <position>             an event, see record.go
//	s <stream id> <revision> where the event with that revision is: position and event id
//	h <stream name>          the head of the stream, see head.go
//	m <name>                 facts about the whole journal
//	p <name>                 state kept for others, see State
//
// A stream's id is the position of its first event, so ids need no counter and young streams lie together.
const (
	kindEvent  = 'e'
	kindIndex  = 's'
	kindHead   = 'h'
	kindMeta   = 'm'
	kindState  = 'p'
	eventKey   = 1 + 8
	indexKey   = 1 + 8 + 8
	indexValue = 8 + 16
)

// tailKey holds the position of the last event and the first free position.
var tailKey = []byte{kindMeta, 't'}

func putEventKey(dst []byte, position uint64) []byte {
	dst = append(dst, kindEvent)
	return binary.BigEndian.AppendUint64(dst, position)
}

func putIndexKey(dst []byte, streamID uint64, revision int64) []byte {
	dst = append(dst, kindIndex)
	dst = binary.BigEndian.AppendUint64(dst, streamID)
	return binary.BigEndian.AppendUint64(dst, uint64(revision))
}

func putHeadKey(dst []byte, stream string) []byte {
	dst = append(dst, kindHead)
	return append(dst, stream...)
}

func positionOf(key []byte) uint64 { return binary.BigEndian.Uint64(key[1:]) }

func revisionOf(key []byte) int64 { return int64(binary.BigEndian.Uint64(key[9:])) }

// indexEntry is the value of an index key.
type indexEntry struct {
	position uint64
	id       [16]byte
}

func putIndexValue(dst []byte, e indexEntry) {
	binary.BigEndian.PutUint64(dst, e.position)
	copy(dst[8:], e.id[:])
}

func parseIndexValue(src []byte) (e indexEntry, ok bool) {
	if len(src) != indexValue {
		return e, false
	}
	e.position = binary.BigEndian.Uint64(src)
	copy(e.id[:], src[8:])
	return e, true
}
