package command

import (
	"context"
	"strconv"
	"sync"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/delivery"
	"waybill/events"
	"waybill/events/fault"
)

// CreateDelivery asks for a delivery.
type CreateDelivery struct {
	DONumber, Type, Date             string    // an empty Type is events.TypeDelivery
	Group                            uuid.UUID // zero: none, or the only one of a caller with groups
	Address, Recipient, Phone, Email string
	Items                            []events.Item // an item without an id gets its number, from 1
	Vehicle                          uuid.UUID     // zero: none yet
}

// CreateDelivery makes a delivery. Errors: Denied, Invalid, NotFound (group,
// vehicle), Conflict (do-number-taken, group-archived, group-field-off).
func (s *Service) CreateDelivery(ctx context.Context, c access.Caller, env Envelope, in CreateDelivery) (Created, error) {
	if err := need(c, access.CreateDeliveries); err != nil {
		return Created{}, err
	}
	cmd := s.command(c, env)
	out := Created{ID: cmd.Derive("delivery")}
	if in.Group == uuid.Nil && !c.SeesAll() {
		if len(c.Groups) != 1 {
			return out, fault.InvalidField("group", "must be one of the groups that you see")
		}
		in.Group = c.Groups[0]
	}
	create := delivery.Create{
		Delivery: out.ID, DONumber: in.DONumber, Type: in.Type, Date: in.Date, Group: in.Group, Address: in.Address,
		Recipient: in.Recipient, Phone: in.Phone, Email: in.Email, Items: numbered(in.Items), Vehicle: in.Vehicle,
	}
	if _, err := create.Decide(delivery.State{}); err != nil {
		return out, err
	}
	err := s.mayCreate(ctx, c, in)
	if err == nil {
		err = s.claims.Take(ctx, cmd, deliveryKey(create.Key()), deliveryHolder(out.ID))
	}
	if err != nil {
		out.Result, err = unlessDone(ctx, s, deliveries, out.ID, cmd, err)
		return out, err
	}
	out.Result, err = aggregates.Create(ctx, s.x, deliveries, out.ID, cmd, create.Decide)
	return out, err
}

// mayCreate looks at what a new delivery refers to.
func (s *Service) mayCreate(ctx context.Context, c access.Caller, in CreateDelivery) error {
	if in.Group != uuid.Nil {
		if err := s.mayTag(ctx, c, in.Group); err != nil {
			return err
		}
	}
	if in.Vehicle == uuid.Nil {
		return nil
	}
	if err := need(c, access.AssignVehicles); err != nil {
		return err
	}
	return s.seesVehicle(ctx, c, in.Vehicle)
}

// mayTag refuses a group that the caller cannot put a delivery into. Whoever
// sees only groups creates in a group even with the Group field off, for
// segregation stays enforced.
func (s *Service) mayTag(ctx context.Context, c access.Caller, id uuid.UUID) error {
	var field error
	var both sync.WaitGroup
	if c.SeesAll() {
		both.Go(func() { field = s.fieldOn(ctx, c) })
	}
	_, err := s.usableGroup(ctx, c, id)
	both.Wait()
	if err == nil {
		err = field
	}
	return err
}

func (s *Service) fieldOn(ctx context.Context, c access.Caller) error {
	all, err := s.organisation(ctx, c)
	if err == nil && !all.FieldEnabled {
		err = fault.New(fault.Conflict, "group-field-off", "Deliveries cannot be tagged, because the Group field is off in the organisation's settings.")
	}
	return err
}

// numbered gives the items that have no id their number.
func numbered(items []events.Item) []events.Item {
	out := make([]events.Item, len(items))
	for i, it := range items {
		if it.ID == "" {
			it.ID = strconv.Itoa(i + 1)
		}
		out[i] = it
	}
	return out
}

// onDelivery executes a command on a delivery that the caller sees.
func (s *Service) onDelivery(ctx context.Context, c access.Caller, cmd aggregates.Command, id uuid.UUID, p access.Permission,
	decide func(delivery.State) ([]events.Payload, error)) (aggregates.Result, error) {
	return aggregates.Execute(ctx, s.x, deliveries, id, cmd, func(d delivery.State) ([]events.Payload, error) {
		if !d.Exists() || !c.Sees(d.Key.Group) {
			return nil, delivery.None()
		}
		if err := need(c, p); err != nil {
			return nil, err
		}
		if err := s.manageable(ctx, c, d.Key.Group); err != nil {
			return nil, err
		}
		return decide(d)
	})
}
