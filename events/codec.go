package events

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
)

// Event is a decoded record.
type Event struct {
	Record   Record
	Stream   StreamID
	Metadata Metadata
	Payload  Payload
}

// Codec turns payloads and envelopes into records and back. It is safe for
// concurrent use.
type Codec struct {
	catalogue *Catalogue
	keys      Keys
	random    io.Reader
}

// NewCodec returns a codec over the full catalogue and a key ring.
func NewCodec(keys Keys) (*Codec, error) {
	c, err := NewCatalogue()
	if err != nil {
		return nil, fmt.Errorf("event catalogue: %w", err)
	}
	return &Codec{catalogue: c, keys: keys, random: rand.Reader}, nil
}

// Draft is an event before encoding. Encode fills in Metadata.SchemaVersion and
// cuts Metadata.RecordedAt to UTC microseconds.
type Draft struct {
	ID       uuid.UUID
	Metadata Metadata
	Payload  Payload
}

// Encode seals and encodes drafts, with one call to the key ring for all of
// them. The keys it made are durable when it returns.
func (c *Codec) Encode(ctx context.Context, drafts []Draft) ([]Proposed, error) {
	if err := c.sealAll(ctx, drafts); err != nil {
		return nil, err
	}
	out := make([]Proposed, len(drafts))
	for i, d := range drafts {
		name := d.Payload.EventType()
		d.Metadata.SchemaVersion = c.catalogue.Version(name)
		d.Metadata.RecordedAt = d.Metadata.RecordedAt.UTC().Truncate(time.Microsecond)
		if d.Metadata.SchemaVersion == 0 {
			return nil, fmt.Errorf("encode: %w: %s", ErrUnknownEvent, name)
		}
		data, err := json.Marshal(d.Payload, json.Deterministic(true))
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", name, err)
		}
		meta, err := json.Marshal(&d.Metadata)
		if err != nil {
			return nil, fmt.Errorf("encode metadata of %s: %w", name, err)
		}
		out[i] = Proposed{ID: d.ID, Type: name, Metadata: meta, Data: data}
	}
	return out, nil
}

func (c *Codec) sealAll(ctx context.Context, drafts []Draft) error {
	keys, err := c.collect(ctx, len(drafts), func(i int) Payload { return drafts[i].Payload }, c.keys.Ensure)
	if err != nil {
		return fmt.Errorf("keys to seal personal data: %w", err)
	}
	for _, d := range drafts {
		h, ok := d.Payload.(hasPersonal)
		if !ok {
			continue
		}
		for i, p := range h.personal() {
			if p.IsZero() {
				continue
			}
			k, ok := keys[p.Subject]
			if !ok {
				return fmt.Errorf("seal %s: the key ring gave no key for subject %s", d.Payload.EventType(), p.Subject)
			}
			if err := p.seal(k, c.random, d.ID, i); err != nil {
				return fmt.Errorf("seal %s: %w", d.Payload.EventType(), err)
			}
		}
	}
	return nil
}

// Decode reads one record. Personal data stays sealed; [Codec.Open] opens it.
func (c *Codec) Decode(r Record) (Event, error) {
	e := Event{Record: r}
	var err error
	if e.Stream, err = ParseStream(r.Stream); err != nil {
		return e, err
	}
	if err := json.Unmarshal(r.Metadata, &e.Metadata); err != nil {
		return e, fmt.Errorf("metadata of %s@%d: %w", r.Stream, r.Revision, err)
	}
	if e.Payload, err = c.catalogue.payload(r.Type, e.Metadata.SchemaVersion, r.Data); err != nil {
		return e, fmt.Errorf("%s@%d: %w", r.Stream, r.Revision, err)
	}
	return e, nil
}

// Open opens the personal data of decoded events, with one call to the key ring
// for all of them. A field whose key is gone reads as erased; that is no error.
func (c *Codec) Open(ctx context.Context, evs []Event) error {
	keys, err := c.collect(ctx, len(evs), func(i int) Payload { return evs[i].Payload }, c.keys.Lookup)
	if err != nil {
		return fmt.Errorf("keys to open personal data: %w", err)
	}
	for _, e := range evs {
		h, ok := e.Payload.(hasPersonal)
		if !ok {
			continue
		}
		for i, p := range h.personal() {
			if p.sealed == nil {
				continue
			}
			k, ok := keys[p.Subject]
			if !ok {
				p.erased = true
				continue
			}
			if err := p.open(k, e.Record.ID, i); err != nil {
				return fmt.Errorf("%s@%d: %w", e.Record.Stream, e.Record.Revision, err)
			}
		}
	}
	return nil
}

// collect asks the ring once for the keys of every given personal field.
func (c *Codec) collect(ctx context.Context, n int, payload func(int) Payload,
	ask func(context.Context, []uuid.UUID) (map[uuid.UUID]Key, error)) (map[uuid.UUID]Key, error) {
	var subjects []uuid.UUID
	seen := map[uuid.UUID]struct{}{}
	for i := range n {
		h, ok := payload(i).(hasPersonal)
		if !ok {
			continue
		}
		for _, p := range h.personal() {
			if p.IsZero() {
				continue
			}
			if _, dup := seen[p.Subject]; !dup {
				seen[p.Subject] = struct{}{}
				subjects = append(subjects, p.Subject)
			}
		}
	}
	if len(subjects) == 0 {
		return nil, nil
	}
	return ask(ctx, subjects)
}
