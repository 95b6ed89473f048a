package command

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/delivery"
	"waybill/events"
	"waybill/events/fault"
)

// ChangeDelivery asks for other details of a delivery. What is nil stays.
type ChangeDelivery struct {
	Delivery                         uuid.UUID
	DONumber, Date                   *string
	Address, Recipient, Phone, Email *string // empty: no longer given
	Items                            *[]events.Item
}

// ChangeDelivery changes the details of a delivery that is still to be made; its
// D.O. number stays unique. Errors: NotFound, Denied, Invalid, Conflict
// (do-number-taken, delivery-status, delivery-erased, revision-mismatch).
func (s *Service) ChangeDelivery(ctx context.Context, c access.Caller, env Envelope, in ChangeDelivery) (aggregates.Result, error) {
	change := delivery.Change{Delivery: in.Delivery, DONumber: in.DONumber, Date: in.Date,
		Address: in.Address, Recipient: in.Recipient, Phone: in.Phone, Email: in.Email}
	if in.Items != nil {
		items := numbered(*in.Items)
		change.Items = &items
	}
	version := 0 // of the details that are known
	return s.rekey(ctx, c, s.command(c, env), in.Delivery, func(d delivery.State) ([]events.Payload, error) {
		if version != d.Version {
			now, known, err := s.details(ctx, c.Org, in.Delivery)
			if err != nil {
				return nil, err
			}
			// Newer than d at most; then what is decided comes too late.
			version, change.Known = now.Version, known
		}
		return change.Decide(d)
	}, change.Key)
}

// detailsPage is how many events of a delivery's stream are read at a time.
const detailsPage = 200

// details returns a delivery with its details, personal data opened. States
// hold none of that, so the stream is read. Errors: NotFound.
func (s *Service) details(ctx context.Context, org, id uuid.UUID) (delivery.State, events.DeliveryDetails, error) {
	stream := events.Stream(events.CategoryDelivery, org, id).String()
	var state delivery.State
	var last events.Event // that set the details
	for from := uint64(0); ; from += detailsPage {
		records, err := s.cfg.Store.Read(ctx, stream, from, detailsPage)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return state, events.DeliveryDetails{}, err
		}
		for _, r := range records {
			ev, err := s.cfg.Codec.Decode(r)
			if err != nil {
				return state, events.DeliveryDetails{}, fmt.Errorf("details: %w", err)
			}
			if _, ok := delivery.Details(ev.Payload); ok {
				last = ev
			}
			state = delivery.Evolve(state, ev.Payload)
		}
		if len(records) < detailsPage {
			break
		}
	}
	if !state.Exists() {
		return state, events.DeliveryDetails{}, delivery.None()
	}
	if err := s.cfg.Codec.Open(ctx, []events.Event{last}); err != nil {
		return state, events.DeliveryDetails{}, fmt.Errorf("details: %w", err)
	}
	known, _ := delivery.Details(last.Payload)
	return state, known, nil
}
