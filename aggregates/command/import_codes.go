package command

import (
	"context"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2/simplelru"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/group"
	"waybill/events"
	"waybill/events/fault"
)

// codesKept bounds how many customer codes an import remembers.
const codesKept = 10_000

// codes finds the groups of customer codes during one import, and makes them
// when told to. It is used by one goroutine at a time. What it finds holds for one
// batch.
type codes struct {
	s      *Service
	caller access.Caller
	cmd    aggregates.Command
	make   bool
	plan   *plan // of a dry run
	found  *lru.LRU[string, codeGroup]
	field  bool // the Group field was seen to be on

	created  int
	names    []string // of the first that were created
	position events.Position
}

// namesListed bounds the names of groups in a report.
const namesListed = 1000

// codeGroup is what a code turned out to be: a group, or why there is none.
type codeGroup struct {
	id      uuid.UUID
	refused error
}

func newCodes(s *Service, cmd aggregates.Command) *codes {
	found, err := lru.NewLRU[string, codeGroup](codesKept, nil)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &codes{s: s, cmd: cmd, found: found}
}

// begin begins a batch: what was found before may not hold any more. Only who
// would see them makes groups.
func (k *codes) begin(c access.Caller, create bool) {
	k.caller, k.make, k.field = c, create && c.SeesAll(), false
	k.found.Purge()
}

// made counts a group.
func (k *codes) made(code string) {
	k.created++
	if len(k.names) < namesListed {
		k.names = append(k.names, group.Tidy(code))
	}
}

// group returns the group of a customer code; the zero id for no code and a
// caller with ALL. A refusal of kind NotFound or Invalid is about the code.
func (k *codes) group(ctx context.Context, code string) (uuid.UUID, error) {
	if group.NormalCode(code) == "" {
		if known, ok := k.found.Get(""); ok {
			return known.id, known.refused
		}
		id, err := k.uncoded(ctx)
		if err == nil || fault.Is(err, fault.Invalid) {
			k.found.Add("", codeGroup{id, err})
		}
		return id, err
	}
	if k.caller.SeesAll() && !k.field {
		if err := k.s.fieldOn(ctx, k.caller); err != nil {
			return uuid.Nil, err
		}
		k.field = true
	}
	key := group.NormalCode(code)
	if known, ok := k.found.Get(key); ok {
		return known.id, known.refused
	}
	id, err := k.resolve(ctx, code)
	if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
		return uuid.Nil, err
	}
	k.found.Add(key, codeGroup{id, err})
	return id, err
}

// uncoded is the group of rows without a code.
func (k *codes) uncoded(ctx context.Context) (uuid.UUID, error) {
	switch {
	case k.caller.SeesAll():
		return uuid.Nil, nil
	case len(k.caller.Groups) == 1:
		return k.caller.Groups[0], k.manageable(ctx, k.caller.Groups[0])
	}
	return uuid.Nil, fault.New(fault.Invalid, "customer-code-missing", "The row has no customer code, and you see several groups or none.")
}

// manageable refuses the rows of a group whose deliveries are not managed here.
func (k *codes) manageable(ctx context.Context, id uuid.UUID) error {
	err := k.s.manageable(ctx, k.caller, id)
	if isCode(err, "client-not-managed") {
		err = fault.Wrap(err, fault.Invalid, "client-not-managed", "The client of the group has withdrawn its approval, or was removed.")
	}
	return err
}

func (k *codes) resolve(ctx context.Context, code string) (uuid.UUID, error) {
	id, g, err := k.s.groupOfCode(ctx, k.caller.Org, code)
	if err != nil {
		return uuid.Nil, err
	}
	planned := false
	if id == uuid.Nil && k.make {
		if k.plan == nil {
			id, g, err = k.build(ctx, code)
		} else {
			id, g, err = k.foresee(ctx, code)
			planned = k.plan.ids[group.NormalName(code)] == id
		}
		if err != nil {
			return uuid.Nil, err
		}
	}
	switch {
	case id == uuid.Nil || !k.caller.Sees(id):
		return uuid.Nil, fault.New(fault.NotFound, "customer-code-unknown",
			"The customer code %q is unknown; map it to a group, or import with the groups to be created.", group.Tidy(code))
	case !g.IsActive():
		return uuid.Nil, fault.New(fault.Invalid, "group-archived", "The group %q of the customer code %q is archived.", g.Name, group.Tidy(code))
	}
	if planned { // a new group has no client
		return id, nil
	}
	return id, k.manageable(ctx, id)
}

// build makes the group of an unknown code, named like it, and maps the code to
// it. A group of that name that exists is used.
func (k *codes) build(ctx context.Context, code string) (uuid.UUID, group.State, error) {
	var none group.State
	if err := group.CheckCode("code", code); err != nil {
		return uuid.Nil, none, err
	}
	cmd := k.cmd.Then("code " + group.NormalCode(code))
	made, err := k.s.createGroup(ctx, cmd, cmd.Derive("group"), group.Create{Name: code})
	switch {
	case err == nil:
		k.made(code)
		k.position = later(k.position, made.Position)
	case isCode(err, "group-name-taken"):
		claim, err := k.s.claims.Look(ctx, k.caller.Org, nameKey(code))
		if err != nil || !claim.Held || !k.caller.Sees(claim.Holder) {
			return uuid.Nil, none, err
		}
		if err := k.manageable(ctx, claim.Holder); err != nil {
			return uuid.Nil, none, err
		}
		made.ID = claim.Holder
	default:
		return uuid.Nil, none, err
	}
	// A command of its own: the group's stream holds the one that made it.
	mapping := cmd
	mapping.ID = k.cmd.Derive("map " + group.NormalCode(code))
	mapped, err := k.s.mapCode(ctx, mapping, MapCustomerCode{Code: code, Group: made.ID})
	if err != nil && !isCode(err, "customer-code-taken") {
		return uuid.Nil, none, unusable(err, code)
	}
	k.position = later(k.position, mapped.Position)
	return k.s.groupOfCode(ctx, k.caller.Org, code)
}

// unusable says of a row why the group of its code cannot be used.
func unusable(err error, code string) error {
	if isCode(err, "group-archived") {
		return fault.Wrap(err, fault.Invalid, "group-archived", "The group %q is archived.", group.Tidy(code))
	}
	return err
}
