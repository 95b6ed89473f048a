package command

import (
	"context"
	"hash/maphash"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"waybill/aggregates"
	"waybill/aggregates/delivery"
	"waybill/aggregates/group"
	"waybill/events"
	"waybill/events/fault"
)

// plan is what a dry run remembers of what it would have made.
type plan struct {
	seed  maphash.Seed
	keys  map[uint64]struct{}  // of deliveries, hashed: it is many
	codes map[string]uuid.UUID // groups by the code that would be mapped to them, in its normal form
	names map[string]group.State
	ids   map[string]uuid.UUID // of groups that would be made, by name
}

// Bounds of a dry run, which remembers what a real one finds in the log: some
// 100 MiB.
const (
	plannedKeys   = 4_000_000
	plannedGroups = 100_000

	tooLargeForDryRun = "dry-run-too-large"
)

func newPlan() *plan {
	return &plan{
		seed: maphash.MakeSeed(), keys: map[uint64]struct{}{}, codes: map[string]uuid.UUID{},
		names: map[string]group.State{}, ids: map[string]uuid.UUID{},
	}
}

// seen reports whether a delivery of that key was there before.
func (p *plan) seen(k delivery.Key) (bool, error) {
	hash := maphash.String(p.seed, strings.Join(k.Parts(), "\x00"))
	if _, twin := p.keys[hash]; twin {
		return true, nil
	}
	if len(p.keys) == plannedKeys {
		return false, errPlan()
	}
	p.keys[hash] = struct{}{}
	return false, nil
}

func errPlan() error {
	return fault.New(fault.Invalid, tooLargeForDryRun,
		"A dry run takes files of at most %d deliveries and %d new groups. Divide the file, or import it.", plannedKeys, plannedGroups)
}

// foresee finds out what would become of rows.
func (im *importer) foresee(ctx context.Context, rows []row) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(contestants)
	for _, r := range rows {
		work.Go(func() error {
			known := r.twin
			if !known {
				var err error
				if known, err = im.s.claims.ForeseeImport(ctx, r.cmd, deliveryKey(r.create.Key())); err != nil {
					return err
				}
			}
			o := Outcome{Row: r.number, DONumber: r.create.DONumber, Status: OutcomeCreated}
			if known {
				o.Status = OutcomeKnown
			}
			im.tally.add(o, events.Position{})
			return nil
		})
	}
	return work.Wait()
}

// foresee is build for a dry run: it remembers the group that would be made, and
// the code that would be mapped.
func (k *codes) foresee(ctx context.Context, code string) (uuid.UUID, group.State, error) {
	var none group.State
	if err := group.CheckCode("code", code); err != nil {
		return uuid.Nil, none, err
	}
	normal, name := group.NormalCode(code), group.NormalName(code)
	if id, ok := k.plan.codes[normal]; ok {
		g, err := k.planned(ctx, name, id)
		return id, g, err
	}
	id, ok := k.plan.ids[name]
	if !ok {
		payloads, err := group.Create{Name: code}.Decide(none)
		if err != nil {
			return uuid.Nil, none, err
		}
		cmd := k.cmd.Then("code " + normal)
		switch id, err = k.s.claims.Foresee(ctx, cmd, nameKey(code)); {
		case err != nil || id != uuid.Nil && !k.caller.Sees(id):
			return uuid.Nil, none, err
		case id == uuid.Nil:
			if len(k.plan.ids) == plannedGroups {
				return uuid.Nil, none, errPlan()
			}
			id = cmd.Derive("group")
			k.plan.ids[name], k.plan.names[name] = id, group.Evolve(none, payloads[0])
			k.made(code)
		default:
			if err := k.manageable(ctx, id); err != nil {
				return uuid.Nil, none, err
			}
		}
	}
	g, err := k.planned(ctx, name, id)
	if err == nil {
		_, err = group.MapCode{Code: code}.Decide(g)
		err = unusable(err, code)
	}
	if err != nil {
		return uuid.Nil, none, err
	}
	k.plan.codes[normal] = id
	return id, g, nil
}

// planned is the state of a group that would be made, or of one that is there.
func (k *codes) planned(ctx context.Context, name string, id uuid.UUID) (group.State, error) {
	if g, ok := k.plan.names[name]; ok && k.plan.ids[name] == id {
		return g, nil
	}
	return aggregates.Load(ctx, k.s.x, groups, k.caller.Org, id)
}
