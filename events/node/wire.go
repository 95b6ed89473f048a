package node

import (
	"encoding/binary"
	"strconv"

	"github.com/google/uuid"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"waybill/events/node/journal"
)

// The field numbers of ReadResp and its parts; those of the streams and the persistent service are the same.
const (
	respEvent          = 1
	readEvent          = 1
	readLink           = 2
	readCommit         = 3
	readRetryCount     = 5
	recordedID         = 1
	recordedStream     = 2
	recordedRevision   = 3
	recordedPrepare    = 4
	recordedCommit     = 5
	recordedMetadata   = 6
	recordedCustom     = 7
	recordedData       = 8
	uuidStructured     = 1
	uuidString         = 2
	structuredMost     = 1
	structuredLeast    = 2
	streamNameField    = 3
	mapKey             = 1
	mapValue           = 2
	contentTypeJSON    = "application/json"
	contentTypeOctets  = "application/octet-stream"
	metadataType       = "type"
	metadataCreated    = "created"
	metadataContent    = "content-type"
	longestVarint      = binary.MaxVarintLen64
	recordedOverheadAt = 16 * longestVarint // more than tags, lengths and numbers of one recorded event take
)

// encoder builds the wire form of events. It is not safe for concurrent use.
type encoder struct {
	stringIDs bool // the reader asked for ids as text
	retries   int32
	withRetry bool // persistent subscriptions say how often an event was tried
	event     []byte
	link      []byte
}

// frame encodes what a reader gets for one position of a stream: an event, a link, or a link with its event.
func (e *encoder) frame(event, link *journal.Record) *frame {
	e.event, e.link = e.event[:0], e.link[:0]
	var position uint64
	if event != nil {
		e.event = e.recorded(e.event, event)
		position = event.Position
	}
	if link != nil {
		e.link = e.recorded(e.link, link)
		position = link.Position
	}
	inner := protowire.SizeTag(readCommit) + protowire.SizeVarint(position)
	if event != nil {
		inner += protowire.SizeTag(readEvent) + protowire.SizeBytes(len(e.event))
	}
	if link != nil {
		inner += protowire.SizeTag(readLink) + protowire.SizeBytes(len(e.link))
	}
	if e.withRetry {
		inner += protowire.SizeTag(readRetryCount) + protowire.SizeVarint(uint64(e.retries))
	}
	size := protowire.SizeTag(respEvent) + protowire.SizeBytes(inner)
	pool := mem.DefaultBufferPool()
	buffer := pool.Get(size)
	b := protowire.AppendTag((*buffer)[:0], respEvent, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(inner))
	if event != nil {
		b = appendBytes(b, readEvent, e.event)
	}
	if link != nil {
		b = appendBytes(b, readLink, e.link)
	}
	b = appendNumber(b, readCommit, position)
	if e.withRetry {
		b = appendNumber(b, readRetryCount, uint64(e.retries))
	}
	*buffer = b
	return &frame{mem.NewBuffer(buffer, pool)}
}

func (e *encoder) recorded(b []byte, r *journal.Record) []byte {
	need := len(r.Data) + len(r.Metadata) + len(r.Stream) + len(r.Type) + recordedOverheadAt
	if cap(b) < need {
		b = make([]byte, 0, need)
	}
	b = e.id(b, r.ID)
	b = protowire.AppendTag(b, recordedStream, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(protowire.SizeTag(streamNameField)+protowire.SizeBytes(len(r.Stream))))
	b = appendBytes(b, streamNameField, r.Stream)
	b = appendNumber(b, recordedRevision, uint64(r.Revision))
	b = appendNumber(b, recordedPrepare, r.Position)
	b = appendNumber(b, recordedCommit, r.Position)
	b = appendEntry(b, metadataType, r.Type)
	var digits [20]byte
	b = appendEntry(b, metadataCreated, strconv.AppendInt(digits[:0], r.Created, 10))
	if r.JSON {
		b = appendEntry(b, metadataContent, contentTypeJSON)
	} else {
		b = appendEntry(b, metadataContent, contentTypeOctets)
	}
	if len(r.Metadata) > 0 {
		b = appendBytes(b, recordedCustom, r.Metadata)
	}
	if len(r.Data) > 0 {
		b = appendBytes(b, recordedData, r.Data)
	}
	return b
}

func (e *encoder) id(b []byte, id uuid.UUID) []byte {
	b = protowire.AppendTag(b, recordedID, protowire.BytesType)
	if e.stringIDs {
		text := id.String()
		b = protowire.AppendVarint(b, uint64(protowire.SizeTag(uuidString)+protowire.SizeBytes(len(text))))
		b = protowire.AppendTag(b, uuidString, protowire.BytesType)
		return protowire.AppendString(b, text)
	}
	most, least := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	inner := protowire.SizeTag(structuredMost) + protowire.SizeVarint(most) +
		protowire.SizeTag(structuredLeast) + protowire.SizeVarint(least)
	b = protowire.AppendVarint(b, uint64(protowire.SizeTag(uuidStructured)+protowire.SizeBytes(inner)))
	b = protowire.AppendTag(b, uuidStructured, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(inner))
	b = appendNumber(b, structuredMost, most)
	return appendNumber(b, structuredLeast, least)
}

func appendEntry[T string | []byte](b []byte, key string, value T) []byte {
	b = protowire.AppendTag(b, recordedMetadata, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(protowire.SizeTag(mapKey)+protowire.SizeBytes(len(key))+
		protowire.SizeTag(mapValue)+protowire.SizeBytes(len(value))))
	b = protowire.AppendTag(b, mapKey, protowire.BytesType)
	b = protowire.AppendString(b, key)
	b = protowire.AppendTag(b, mapValue, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(len(value)))
	return append(b, value...)
}

func appendBytes(b []byte, field protowire.Number, value []byte) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, value)
}

func appendNumber(b []byte, field protowire.Number, value uint64) []byte {
	b = protowire.AppendTag(b, field, protowire.VarintType)
	return protowire.AppendVarint(b, value)
}
