package node

import (
	"bytes"
	"context"
	"errors"
	"strconv"

	"google.golang.org/grpc"

	"waybill/events/node/journal"
)

// A page is what is read from the store at a time. It is encoded while the store is being read and sent afterwards, so
// that a slow receiver holds no view of the store, and no more memory than this.
const (
	pageEvents     = 256
	pageBytes      = 1 << 20
	pageConsidered = 8192
)

// page collects responses: encoded events, and links that are still to be resolved.
type page struct {
	encoder    encoder
	links      bool
	items      []any // *frame, *journal.Record (a link to resolve), or a response message
	bytes      int
	considered int
}

func (p *page) reset() {
	clear(p.items)
	p.items, p.bytes, p.considered = p.items[:0], 0, 0
}

func (p *page) full() bool {
	return len(p.items) >= pageEvents || p.bytes >= pageBytes || p.considered >= pageConsidered
}

func (p *page) add(r *journal.Record) {
	p.bytes += len(r.Data) + len(r.Metadata) + len(r.Stream) + len(r.Type)
	if p.links && isLink(r) {
		p.items = append(p.items, r.Clone())
		return
	}
	p.items = append(p.items, p.encoder.frame(r, nil))
}

// send resolves what is to be resolved and sends the page.
func (p *page) send(call grpc.ServerStream, j *journal.Journal) error {
	for _, item := range p.items {
		if link, ok := item.(*journal.Record); ok {
			resolved, err := p.encoder.resolve(call.Context(), j, link)
			if err != nil {
				return err
			}
			item = resolved
		}
		if err := call.SendMsg(item); err != nil {
			return err
		}
	}
	return nil
}

// resolve encodes the event that a link points at, together with the link; only the link when the event is gone.
func (e *encoder) resolve(ctx context.Context, j *journal.Journal, link *journal.Record) (*frame, error) {
	var out *frame
	err := visitTarget(ctx, j, link, func(event *journal.Record) { out = e.frame(event, link) })
	if errors.Is(err, errNotFound) {
		return e.frame(nil, link), nil
	}
	return out, err
}

// visitTarget reads the event that a link points at, whose data is "<revision>@<stream>".
func visitTarget(ctx context.Context, j *journal.Journal, link *journal.Record, visit func(*journal.Record)) error {
	number, name, ok := bytes.Cut(link.Data, []byte("@"))
	revision, err := strconv.ParseInt(string(number), 10, 64)
	if !ok || err != nil || revision < 0 {
		return errNotFound
	}
	stream := string(name)
	head, err := j.Head(ctx, stream)
	if err != nil {
		return err
	}
	if head.Tombstoned || head.SoftDeleted() {
		return errNotFound
	}
	found := false
	err = j.Stream(stream, head, revision, false, func(r *journal.Record) bool {
		if r.Revision == revision {
			found = true
			visit(r)
		}
		return false
	})
	if err == nil && !found {
		err = errNotFound
	}
	return err
}
