package delivery

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/aggregatetest"
	"waybill/events"
)

type tests = map[string]aggregatetest.Case[State]

func given(evs ...events.Payload) []events.Payload { return evs }

var then = given

var (
	id      = uuid.MustParse("5a0a9c4e-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	apple   = uuid.MustParse("11111111-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	banana  = uuid.MustParse("22222222-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	vehicle = uuid.MustParse("33333333-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	noon    = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	created = &events.DeliveryCreated{DONumber: "DO-1", Type: events.TypeDelivery, Date: "2026-03-02", Group: apple, Attempt: 1}
	loose   = &events.DeliveryCreated{DONumber: "DO-1", Type: events.TypeDelivery, Date: "2026-03-02", Attempt: 1}
	valid   = Create{Delivery: id, DONumber: "DO-1", Date: "2026-03-02", Group: apple}
)

func with(change func(*Create)) Create {
	c := valid
	change(&c)
	return c
}

func TestCreate(t *testing.T) {
	t.Parallel()
	item := events.Item{ID: "1", Quantity: 2}
	aggregatetest.Decide(t, Evolve, tests{
		"a delivery is created with its first group": {When: valid, Then: then(created)},
		"its personal data belongs to it": {
			When: with(func(c *Create) {
				c.Address, c.Recipient, c.Phone, c.Email = " Main St 1 ", "Ann", "+1", "ann@example.com"
			}),
			Then: then(&events.DeliveryCreated{
				DONumber: "DO-1", Type: events.TypeDelivery, Date: "2026-03-02", Group: apple, Attempt: 1,
				Address: events.PersonalText(id, "Main St 1"), Recipient: events.PersonalText(id, "Ann"),
				Phone: events.PersonalText(id, "+1"), Email: events.PersonalText(id, "ann@example.com"),
			}),
		},
		"its number is kept in normal form": {When: with(func(c *Create) { c.DONumber = " DO\u00a0 ７ " }), Then: then(
			&events.DeliveryCreated{DONumber: "DO 7", Type: events.TypeDelivery, Date: "2026-03-02", Group: apple, Attempt: 1})},
		"it is created once":                     {Given: given(created), When: valid, Refused: "delivery-exists"},
		"an abandoned one is never created":      {Given: given(&events.CreationAbandoned{}), When: valid, Refused: "creation-abandoned"},
		"it has a number":                        {When: with(func(c *Create) { c.DONumber = "  " }), Refused: "invalid-field", Field: "do_number"},
		"its number has at most 100 characters":  {When: with(func(c *Create) { c.DONumber = strings.Repeat("9", 101) }), Refused: "invalid-field", Field: "do_number"},
		"its number holds no control characters": {When: with(func(c *Create) { c.DONumber = "1\x002" }), Refused: "invalid-field", Field: "do_number"},
		"its type is known":                      {When: with(func(c *Create) { c.Type = "gift" }), Refused: "invalid-field", Field: "type"},
		"its date is a date":                     {When: with(func(c *Create) { c.Date = "2026-02-30" }), Refused: "invalid-field", Field: "date"},
		"its date is of our time":                {When: with(func(c *Create) { c.Date = "0026-02-03" }), Refused: "invalid-field", Field: "date"},
		"its texts are bounded":                  {When: with(func(c *Create) { c.Address = strings.Repeat("a", 1001) }), Refused: "invalid-field", Field: "address"},
		"its texts are Unicode":                  {When: with(func(c *Create) { c.Items = []events.Item{{ID: "1", SKU: "\xff"}} }), Refused: "invalid-field", Field: "items[0].sku"},
		"items have ids":                         {When: with(func(c *Create) { c.Items = []events.Item{{}} }), Refused: "invalid-field", Field: "items[0].id"},
		"items have ids of their own":            {When: with(func(c *Create) { c.Items = []events.Item{item, item} }), Refused: "invalid-field", Field: "items[1].id"},
		"quantities are not negative":            {When: with(func(c *Create) { c.Items = []events.Item{{ID: "1", Quantity: -1}} }), Refused: "invalid-field", Field: "items[0].quantity"},
		"items are bounded":                      {When: with(func(c *Create) { c.Items = make([]events.Item, 2001) }), Refused: "invalid-field", Field: "items"},
	})
}

func TestTag(t *testing.T) {
	t.Parallel()
	aggregatetest.Decide(t, Evolve, tests{
		"an untagged delivery is tagged":              {Given: given(loose), When: Tag{Group: apple}, Then: then(&events.DeliveryTagged{Group: apple})},
		"a tagged one moves for a reason":             {Given: given(created), When: Tag{banana, "sold"}, Then: then(&events.DeliveryTagged{FromGroup: apple, Group: banana})},
		"moving needs the reason":                     {Given: given(created), When: Tag{Group: banana}, Refused: "invalid-field", Field: "reason"},
		"tagging with the same group does nothing":    {Given: given(created), When: Tag{Group: apple}},
		"what does not exist is not tagged":           {When: Tag{Group: apple}, Refused: "delivery-not-found"},
		"untagging names the group before":            {Given: given(loose, &events.DeliveryTagged{Group: banana}), When: Untag{}, Then: then(&events.DeliveryUntagged{FromGroup: banana})},
		"untagging what is untagged does nothing":     {Given: given(loose), When: Untag{}},
		"what does not exist is not untagged":         {When: Untag{}, Refused: "delivery-not-found"},
		"an abandoned delivery does not exist":        {Given: given(&events.CreationAbandoned{}), When: Tag{Group: apple}, Refused: "delivery-not-found"},
		"a completed delivery can move to its client": {Given: given(created, &events.DeliveryDispatched{}, &events.DeliveryCompleted{}), When: Tag{banana, "wrong client"}, Then: then(&events.DeliveryTagged{FromGroup: apple, Group: banana})},
	})
}

func TestStatus(t *testing.T) {
	t.Parallel()
	dispatched := given(created, &events.DeliveryDispatched{})
	completed := append(slices.Clip(dispatched), &events.DeliveryCompleted{})
	failed := append(slices.Clip(dispatched), &events.DeliveryFailed{})
	sum := strings.Repeat("0a", 32)
	aggregatetest.Decide(t, Evolve, tests{
		"a new delivery is dispatched":             {Given: given(created), When: Dispatch{noon.Add(1)}, Then: then(&events.DeliveryDispatched{OccurredAt: noon})},
		"when it happened need not be said":        {Given: given(created), When: Dispatch{}, Then: then(&events.DeliveryDispatched{})},
		"it is dispatched once":                    {Given: dispatched, When: Dispatch{}, Refused: "delivery-status"},
		"a completed one is not dispatched":        {Given: completed, When: Dispatch{}, Refused: "delivery-status"},
		"what does not exist is not dispatched":    {When: Dispatch{}, Refused: "delivery-not-found"},
		"a dispatched one is completed with proof": {Given: dispatched, When: Complete{noon, []events.Proof{{Reference: "r", SHA256: sum}}}, Then: then(&events.DeliveryCompleted{OccurredAt: noon, Proof: []events.Proof{{Reference: "r", SHA256: sum}}})},
		"proof has a reference":                    {Given: dispatched, When: Complete{noon, []events.Proof{{SHA256: sum}}}, Refused: "invalid-field", Field: "proof[0].reference"},
		"proof has a sum":                          {Given: dispatched, When: Complete{noon, []events.Proof{{Reference: "r", SHA256: strings.ToUpper(sum)}}}, Refused: "invalid-field", Field: "proof[0].sha256"},
		"a new one is not completed":               {Given: given(created), When: Complete{}, Refused: "delivery-status"},
		"a completed one is not completed again":   {Given: completed, When: Complete{}, Refused: "delivery-status"},
		"a failed one is not completed":            {Given: failed, When: Complete{}, Refused: "delivery-status"},
		"what does not exist is not completed":     {When: Complete{}, Refused: "delivery-not-found"},
		"a dispatched one fails for a reason":      {Given: dispatched, When: Fail{noon, "nobody home"}, Then: then(&events.DeliveryFailed{OccurredAt: noon})},
		"failing needs the reason":                 {Given: dispatched, When: Fail{noon, " "}, Refused: "invalid-field", Field: "reason"},
		"a completed one does not fail":            {Given: completed, When: Fail{noon, "late"}, Refused: "delivery-status"},
		"what does not exist does not fail":        {When: Fail{noon, "late"}, Refused: "delivery-not-found"},
		"a vehicle is assigned":                    {Given: given(created), When: Assign{vehicle}, Then: then(&events.DeliveryAssigned{Vehicle: vehicle})},
		"the same vehicle is assigned once":        {Given: given(created, &events.DeliveryAssigned{Vehicle: vehicle}), When: Assign{vehicle}},
		"a completed one gets no vehicle":          {Given: completed, When: Assign{vehicle}, Refused: "delivery-status"},
		"what does not exist gets no vehicle":      {When: Assign{vehicle}, Refused: "delivery-not-found"},
	})
}

func TestTouchedGroups(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given []events.Payload
		event events.Payload
		want  []uuid.UUID
	}{
		"creation touches the first group":  {nil, created, []uuid.UUID{apple}},
		"creation without one touches none": {nil, loose, nil},
		"a move touches both":               {given(created), &events.DeliveryTagged{FromGroup: apple, Group: banana}, []uuid.UUID{apple, banana}},
		"untagging touches the one left":    {given(created), &events.DeliveryUntagged{FromGroup: apple}, []uuid.UUID{apple}},
		"anything else touches the group":   {given(created), &events.DeliveryDispatched{}, []uuid.UUID{apple}},
		"and none when untagged":            {given(loose), &events.DeliveryDispatched{}, nil},
	} {
		if got := Touches(id, aggregatetest.From(Evolve, tc.given...), tc.event); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}
