package command

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/events/fault"
)

// MaxBulk is how many deliveries a bulk command may name.
const MaxBulk = 500

// bulkParallel is how many rows of a bulk command are executed at a time.
const bulkParallel = 16

// Bulk asks for the same command on many deliveries.
type Bulk struct {
	Do         string      // one of [BulkCommands]
	Deliveries []uuid.UUID // 1 to MaxBulk, each once
	Group      uuid.UUID   // to tag with
	Vehicle    uuid.UUID   // to assign
	OccurredAt time.Time   // of what happened; zero: not said
}

// BulkRow is what a bulk command came to on one delivery.
type BulkRow struct {
	Delivery uuid.UUID
	Result   aggregates.Result
	Err      error // as of the command on that one delivery; nil: it went well
}

// BulkCommands returns the names of the commands that can be given in bulk.
func BulkCommands() []string {
	return []string{"tag", "untag", "assign", "unassign", "receive", "dispatch", "hold", "release", "return", "cancel", "delete"}
}

// Bulk executes a command on many deliveries, each by itself: what one is
// refused stops no other. A repetition with the same command id finds what it
// did before. The rows are in the order of the request. Errors: Invalid, when
// the request as a whole is wrong; all others are those of rows.
func (s *Service) Bulk(ctx context.Context, c access.Caller, env Envelope, in Bulk) ([]BulkRow, error) {
	do, err := s.bulk(c, in)
	if err != nil {
		return nil, err
	}
	if env.CommandID == uuid.Nil {
		env.CommandID = s.cfg.NewID()
	}
	if env.CorrelationID == uuid.Nil {
		env.CorrelationID = env.CommandID
	}
	rows := make([]BulkRow, len(in.Deliveries))
	var all errgroup.Group
	all.SetLimit(bulkParallel)
	for i, id := range in.Deliveries {
		each := env
		each.CommandID = uuid.NewSHA1(env.CommandID, id[:])
		all.Go(func() error {
			rows[i].Delivery = id
			rows[i].Result, rows[i].Err = do(ctx, each, id)
			return nil
		})
	}
	return rows, all.Wait()
}

// bulk checks the request as a whole and returns what to do with each delivery.
func (s *Service) bulk(c access.Caller, in Bulk) (func(context.Context, Envelope, uuid.UUID) (aggregates.Result, error), error) {
	switch {
	case !slices.Contains(BulkCommands(), in.Do):
		return nil, fault.InvalidField("do", "must be one of %v", BulkCommands())
	case len(in.Deliveries) == 0 || len(in.Deliveries) > MaxBulk:
		return nil, fault.InvalidField("deliveries", "must be 1 to %d, and there are %d", MaxBulk, len(in.Deliveries))
	case (in.Do == "tag") != (in.Group != uuid.Nil):
		return nil, fault.InvalidField("group", "is needed to tag, and for nothing else")
	case (in.Do == "assign") != (in.Vehicle != uuid.Nil):
		return nil, fault.InvalidField("vehicle", "is needed to assign, and for nothing else")
	}
	seen := make(map[uuid.UUID]struct{}, len(in.Deliveries))
	for i, id := range in.Deliveries {
		if _, twice := seen[id]; twice {
			return nil, fault.InvalidField(fmt.Sprintf("deliveries[%d]", i), "is there twice")
		}
		seen[id] = struct{}{}
	}
	return func(ctx context.Context, env Envelope, id uuid.UUID) (aggregates.Result, error) {
		happened := Happened{Delivery: id, OccurredAt: in.OccurredAt}
		switch in.Do {
		case "tag":
			return s.TagDelivery(ctx, c, env, TagDelivery{Delivery: id, Group: in.Group})
		case "untag":
			return s.UntagDelivery(ctx, c, env, id)
		case "assign":
			return s.AssignVehicle(ctx, c, env, AssignVehicle{Delivery: id, Vehicle: in.Vehicle})
		case "unassign":
			return s.UnassignVehicle(ctx, c, env, id)
		case "receive":
			return s.ReceiveGoods(ctx, c, env, happened)
		case "dispatch":
			return s.Dispatch(ctx, c, env, Dispatch{Delivery: id, OccurredAt: in.OccurredAt})
		case "hold":
			return s.Hold(ctx, c, env, id)
		case "release":
			return s.Release(ctx, c, env, id)
		case "return":
			return s.ReturnDelivery(ctx, c, env, happened)
		case "cancel":
			return s.Cancel(ctx, c, env, id)
		default:
			return s.DeleteDelivery(ctx, c, env, id)
		}
	}, nil
}
