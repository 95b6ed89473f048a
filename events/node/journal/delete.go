package journal

import "math"

// softDelete hides the stream's events by a metadata document that truncates them all.
func (b *builder) softDelete(stream string) (Written, error) {
	return b.writeMetadata(stream, softDeleteDocument)
}

// tombstone ends a stream. The event that says so stands in the log only, under the highest of revisions; the stream's
// own events are no longer read.
func (b *builder) tombstone(stream string, h *Head) Written {
	end := Event{ID: b.j.opts.NewID(), Type: TypeTombstone, JSON: true}
	position := b.put(stream, math.MaxInt64, b.j.opts.Now().UnixNano()/100, &end)
	h.Tombstoned, h.Changed = true, position
	b.pending[stream] = h
	return Written{Revision: math.MaxInt64, Position: position}
}

// undelete makes the numbering of a soft-deleted stream go on: what is written from now on is visible, what was before
// is not. The other keys of its metadata stay.
func (b *builder) undelete(stream string, h *Head) error {
	document, err := b.lastMetadata(stream)
	if err != nil {
		return err
	}
	if _, err := b.writeMetadata(stream, withTruncateBefore(document, h.Last+1)); err != nil {
		return err
	}
	fresh, err := b.head(stream)
	*h = fresh
	return err
}

// writeMetadata appends a metadata document for the stream.
func (b *builder) writeMetadata(stream string, document []byte) (Written, error) {
	name := metaPrefix + stream
	h, err := b.head(name)
	if err != nil {
		return Written{}, err
	}
	events := []Event{{ID: b.j.opts.NewID(), Type: TypeMetadata, JSON: true, Data: document}}
	written := b.write(name, &h, b.j.opts.Now(), events)
	return written, b.followMetadata(name, events)
}

// followMetadata brings the limits of a stream in line with what was just appended to its metadata stream.
func (b *builder) followMetadata(name string, events []Event) error {
	stream, ok := metadataOf(name)
	if !ok {
		return nil
	}
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Type != TypeMetadata {
			continue
		}
		h, err := b.head(stream)
		if err != nil {
			return err
		}
		h.Limits, h.HasMeta, h.Changed = parseLimits(events[i].Data), true, b.tail.last
		b.pending[stream] = &h
		return nil
	}
	return nil
}

// lastMetadata is the newest metadata document of the stream, nil when it has none.
func (b *builder) lastMetadata(stream string) ([]byte, error) {
	name := metaPrefix + stream
	if _, unsettled := b.pending[name]; unsettled {
		b.settle()
	}
	h, err := b.head(name)
	if err != nil || h.LastAt == 0 {
		return nil, err
	}
	var document []byte
	err = b.j.event(h.LastAt, func(r *Record) {
		if string(r.Type) == TypeMetadata {
			document = append(document, r.Data...)
		}
	})
	return document, err
}
