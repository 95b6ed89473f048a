package journal

import (
	"encoding/binary"
	"math"
	"strings"
)

// DeletedBefore is the truncate-before value that marks a soft-deleted stream.
const DeletedBefore = math.MaxInt64

// Limits are the parts of a stream's metadata that decide which of its events are visible.
type Limits struct {
	MaxCount       int64 // newest events kept; 0 = all
	MaxAge         int64 // seconds; 0 = any age
	TruncateBefore int64 // first visible revision; DeletedBefore = soft-deleted
}

// Head is what the journal knows about a stream without reading its events.
type Head struct {
	ID         uint64 // position of its first event; 0 = no event yet
	Last       int64  // revision of its last event; -1 = none
	LastAt     uint64 // position of its last event; 0 = none
	Changed    uint64 // position of the last write that changed this head
	Limits     Limits
	Reclaimed  int64 // the events below this revision are no longer on disk
	Tombstoned bool
	HasMeta    bool // a metadata stream was written
}

func noHead() Head { return Head{Last: -1} }

// SoftDeleted tells whether the stream was deleted and not written to since.
func (h *Head) SoftDeleted() bool { return h.Limits.TruncateBefore == DeletedBefore && !h.Tombstoned }

// First is the lowest visible revision as far as counts and truncation go (age is judged event by event).
func (h *Head) First() int64 {
	first := h.Limits.TruncateBefore
	if n := h.Limits.MaxCount; n > 0 && h.Last-n+1 > first {
		first = h.Last - n + 1
	}
	return first
}

const (
	headLayout     = 1
	headTombstoned = 1
	headHasMeta    = 2
	headSize       = 2 + 8*8
)

func (h *Head) put(dst []byte) {
	var flags byte
	if h.Tombstoned {
		flags |= headTombstoned
	}
	if h.HasMeta {
		flags |= headHasMeta
	}
	b := append(dst[:0:cap(dst)], headLayout, flags)
	b = binary.BigEndian.AppendUint64(b, h.ID)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Last))
	b = binary.BigEndian.AppendUint64(b, h.LastAt)
	b = binary.BigEndian.AppendUint64(b, h.Changed)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Limits.MaxCount))
	b = binary.BigEndian.AppendUint64(b, uint64(h.Limits.MaxAge))
	b = binary.BigEndian.AppendUint64(b, uint64(h.Limits.TruncateBefore))
	_ = binary.BigEndian.AppendUint64(b, uint64(h.Reclaimed))
}

func parseHead(src []byte) (h Head, ok bool) {
	if len(src) != headSize || src[0] != headLayout {
		return h, false
	}
	h.Tombstoned, h.HasMeta = src[1]&headTombstoned != 0, src[1]&headHasMeta != 0
	at := func(i int) uint64 { return binary.BigEndian.Uint64(src[2+8*i:]) }
	h.ID, h.Last, h.LastAt, h.Changed = at(0), int64(at(1)), at(2), at(3)
	h.Limits = Limits{MaxCount: int64(at(4)), MaxAge: int64(at(5)), TruncateBefore: int64(at(6))}
	h.Reclaimed = int64(at(7))
	return h, true
}

const metaPrefix = "$$"

// withImplied adds the limit that streams of metadata have without saying so: only the newest document counts.
func (h Head) withImplied(stream string) Head {
	if strings.HasPrefix(stream, metaPrefix) {
		h.Limits.MaxCount = 1
	}
	return h
}

// metadataOf gives the stream that name holds the metadata of.
func metadataOf(name string) (stream string, ok bool) {
	stream, ok = strings.CutPrefix(name, metaPrefix)
	return stream, ok && stream != "" && !strings.HasPrefix(stream, metaPrefix)
}
