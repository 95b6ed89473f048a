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

var (
	later   = noon.Add(time.Hour)
	itemed  = &events.DeliveryCreated{DONumber: "DO-1", Type: events.TypeDelivery, Date: "2026-03-02", Group: apple, Attempt: 1, Items: []events.Item{{ID: "a", SKU: "s", Quantity: 5}, {ID: "b", Quantity: 1}}}
	partly  = &events.DeliveryPartiallyCompleted{Rejected: []events.RejectedItem{{Item: "a", Quantity: 2}}}
	out     = &events.DeliveryDispatched{}
	next    = uuid.MustParse("44444444-63c5-4f0f-9d0e-1a2b3c4d5e6f")
	deleted = &events.DeliveryDeleted{}
)

// where are the events that bring a delivery into each status.
func where() map[string][]events.Payload {
	return map[string][]events.Payload{
		events.StatusInfoReceived:       given(itemed),
		events.StatusInTransit:          given(itemed, &events.DeliveryGoodsReceived{}),
		events.StatusDispatched:         given(itemed, out),
		events.StatusOnHold:             given(itemed, out, &events.DeliveryPutOnHold{}),
		events.StatusCompleted:          given(itemed, out, &events.DeliveryCompleted{}),
		events.StatusCompletedPartially: given(itemed, out, partly),
		events.StatusFailed:             given(itemed, out, &events.DeliveryFailed{}),
		events.StatusReturned:           given(itemed, out, &events.DeliveryReturned{}),
		events.StatusCancelled:          given(itemed, &events.DeliveryCancelled{}),
	}
}

type decider interface {
	Decide(State) ([]events.Payload, error)
}

// Every command in every status: it is taken exactly where the table of the
// domain says so, and nowhere does it touch what is not there or was deleted.
func TestEveryCommandIsTakenInTheStatusesOfTheTableAndNowhereElse(t *testing.T) {
	t.Parallel()
	const (
		info, transit, dispatched, hold = events.StatusInfoReceived, events.StatusInTransit, events.StatusDispatched, events.StatusOnHold
		completed, partial, failed      = events.StatusCompleted, events.StatusCompletedPartially, events.StatusFailed
	)
	number := "DO-2"
	for name, tc := range map[string]struct {
		when decider
		in   []string
		to   string // the status after; empty: the same
	}{
		"receive":   {ReceiveGoods{}, []string{info}, transit},
		"dispatch":  {Dispatch{}, []string{info, transit}, dispatched},
		"head":      {StartHeading{}, []string{dispatched}, ""},
		"arrive":    {Arrive{}, []string{dispatched}, ""},
		"complete":  {Complete{}, []string{dispatched}, completed},
		"partial":   {CompletePartially{Rejected: partly.Rejected}, []string{dispatched}, partial},
		"fail":      {Fail{Reason: "shut"}, []string{dispatched}, failed},
		"hold":      {Hold{}, []string{info, transit, dispatched}, hold},
		"release":   {Release{}, []string{hold}, dispatched},
		"return":    {Return{}, []string{transit, dispatched, hold, failed}, events.StatusReturned},
		"cancel":    {Cancel{}, []string{info, transit, dispatched, hold}, events.StatusCancelled},
		"correct":   {Correct{To: completed, Reason: "slip"}, []string{completed, partial, failed}, completed},
		"reattempt": {Reattempt{"2026-03-03", next}, []string{partial, failed}, ""},
		"eta":       {ReviseEta{noon}, []string{info, transit, dispatched, hold}, ""},
		"assign":    {Assign{vehicle}, []string{info, transit, dispatched, hold}, ""},
		"unassign":  {Unassign{}, []string{info, transit, dispatched, hold}, ""},
		"change":    {Change{DONumber: &number}, []string{info, transit, dispatched, hold}, ""},
		"delete":    {Delete{}, []string{info, transit, dispatched, hold, events.StatusReturned, events.StatusCancelled}, ""},
	} {
		for status, history := range where() {
			s := aggregatetest.From(Evolve, history...)
			if s.Status != status {
				t.Fatalf("the history of %s leads to %s", status, s.Status)
			}
			evs, err := tc.when.Decide(s)
			if taken := err == nil; taken != slices.Contains(tc.in, status) {
				t.Errorf("%s of what is %s: %v", name, status, err)
			} else if taken {
				after := s
				for _, e := range evs {
					after = Evolve(after, e)
				}
				want := tc.to
				if want == "" {
					want = status
				}
				if after.Status != want {
					t.Errorf("%s of what is %s makes it %s, want %s", name, status, after.Status, want)
				}
			}
			if _, err := tc.when.Decide(Evolve(s, deleted)); !isNone(err) {
				t.Errorf("%s of what is %s and deleted: %v, want that there is none", name, status, err)
			}
		}
		if _, err := tc.when.Decide(State{}); !isNone(err) {
			t.Errorf("%s of nothing: %v, want that there is none", name, err)
		}
	}
}

func isNone(err error) bool { return err != nil && err.Error() == None().Error() }

func TestMarks(t *testing.T) {
	t.Parallel()
	heading, arrived := &events.DeliveryHeadingStarted{OccurredAt: noon}, &events.DeliveryArrived{OccurredAt: noon}
	aggregatetest.Decide(t, Evolve, tests{
		"heading is marked":                    {Given: given(itemed, out), When: StartHeading{noon}, Then: then(heading)},
		"heading twice changes nothing":        {Given: given(itemed, out, heading), When: StartHeading{later}},
		"arrived is marked":                    {Given: given(itemed, out, heading), When: Arrive{noon}, Then: then(arrived)},
		"arriving needs no heading":            {Given: given(itemed, out), When: Arrive{noon}, Then: then(arrived)},
		"arriving twice changes nothing":       {Given: given(itemed, out, arrived), When: Arrive{later}},
		"who has arrived does not head for it": {Given: given(itemed, out, arrived), When: StartHeading{}, Refused: "delivery-arrived"},
		"a hold ends the marks":                {Given: given(itemed, out, arrived, &events.DeliveryPutOnHold{}, &events.DeliveryReleased{To: events.StatusDispatched}), When: StartHeading{noon}, Then: then(heading)},
		"another vehicle has to arrive itself": {Given: given(itemed, out, arrived, &events.DeliveryAssigned{Vehicle: vehicle}), When: Arrive{noon}, Then: then(arrived)},
		"and so after it was taken off":        {Given: given(itemed, out, heading, &events.DeliveryUnassigned{Vehicle: vehicle}), When: StartHeading{noon}, Then: then(heading)},
	})
}

func TestHoldAndEta(t *testing.T) {
	t.Parallel()
	hold := &events.DeliveryPutOnHold{}
	released := func(to string) []events.Payload { return then(&events.DeliveryReleased{To: to}) }
	aggregatetest.Decide(t, Evolve, tests{
		"what was received is released to that":    {Given: given(itemed, &events.DeliveryGoodsReceived{}, hold), When: Release{}, Then: released(events.StatusInTransit)},
		"what was new is released to that":         {Given: given(itemed, hold), When: Release{}, Then: released(events.StatusInfoReceived)},
		"what was dispatched is released to that":  {Given: given(itemed, out, hold), When: Release{}, Then: released(events.StatusDispatched)},
		"a second hold is released to its own":     {Given: given(itemed, hold, &events.DeliveryReleased{To: events.StatusInfoReceived}, out, hold), When: Release{}, Then: released(events.StatusDispatched)},
		"when it is expected is kept to the µs":    {Given: given(itemed), When: ReviseEta{noon.Add(1)}, Then: then(&events.DeliveryEtaRevised{Eta: noon})},
		"the same expectation changes nothing":     {Given: given(itemed, &events.DeliveryEtaRevised{Eta: noon}), When: ReviseEta{noon.In(time.FixedZone("x", 3600))}},
		"another one does":                         {Given: given(itemed, &events.DeliveryEtaRevised{Eta: noon}), When: ReviseEta{later}, Then: then(&events.DeliveryEtaRevised{Eta: later})},
		"an expectation is a time":                 {Given: given(itemed), When: ReviseEta{}, Refused: "invalid-field", Field: "eta"},
		"taking off names the vehicle":             {Given: given(itemed, &events.DeliveryAssigned{Vehicle: vehicle}), When: Unassign{}, Then: then(&events.DeliveryUnassigned{Vehicle: vehicle})},
		"taking off what is on none does nothing":  {Given: given(itemed), When: Unassign{}},
		"and once it is off it can go on it again": {Given: given(itemed, &events.DeliveryAssigned{Vehicle: vehicle}, &events.DeliveryUnassigned{Vehicle: vehicle}), When: Assign{vehicle}, Then: then(&events.DeliveryAssigned{Vehicle: vehicle})},
	})
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	rejected := func(items ...events.RejectedItem) CompletePartially { return CompletePartially{Rejected: items} }
	failed, completed := &events.DeliveryFailed{}, &events.DeliveryCompleted{}
	two, three := partly.Rejected, []events.RejectedItem{{Item: "a", Quantity: 3}}
	corrected := func(from, to string, items []events.RejectedItem) []events.Payload {
		return then(&events.DeliveryOutcomeCorrected{From: from, To: to, Rejected: items})
	}
	ctp, cmp, fld := events.StatusCompletedPartially, events.StatusCompleted, events.StatusFailed
	aggregatetest.Decide(t, Evolve, tests{
		"partial says what was rejected":                  {Given: given(itemed, out), When: CompletePartially{OccurredAt: noon, Rejected: two}, Then: then(&events.DeliveryPartiallyCompleted{OccurredAt: noon, Rejected: two})},
		"partial without a rejected item is none":         {Given: given(itemed, out), When: rejected(), Refused: "invalid-field", Field: "items"},
		"an item without a rejected quantity is none":     {Given: given(itemed, out), When: rejected(events.RejectedItem{Item: "a"}), Refused: "invalid-field", Field: "items[0].rejected"},
		"no more is rejected than there was":              {Given: given(itemed, out), When: rejected(events.RejectedItem{Item: "b", Quantity: 2}), Refused: "invalid-field", Field: "items[0].rejected"},
		"an item is rejected once":                        {Given: given(itemed, out), When: rejected(two[0], two[0]), Refused: "invalid-field", Field: "items[1].id"},
		"only its own items are rejected":                 {Given: given(itemed, out), When: rejected(events.RejectedItem{Item: "z", Quantity: 1}), Refused: "invalid-field", Field: "items[0].id"},
		"a delivery without items is never partial":       {Given: given(created, out), When: rejected(two...), Refused: "invalid-field", Field: "items[0].id"},
		"items that changed count as they are":            {Given: given(itemed, &events.DeliveryChanged{After: events.DeliveryDetails{Items: []events.Item{{ID: "c", Quantity: 9}}}}, out), When: rejected(two...), Refused: "invalid-field", Field: "items[0].id"},
		"partial has proof like any":                      {Given: given(itemed, out), When: CompletePartially{Rejected: two, Proof: []events.Proof{{Reference: "r"}}}, Refused: "invalid-field", Field: "proof[0].sha256"},
		"a failure was a completion":                      {Given: given(itemed, out, failed), When: Correct{To: cmp, Reason: "slip"}, Then: corrected(fld, cmp, nil)},
		"a completion was partial":                        {Given: given(itemed, out, completed), When: Correct{ctp, two, "slip"}, Then: corrected(cmp, ctp, two)},
		"a partial one was so in another way":             {Given: given(itemed, out, partly), When: Correct{ctp, three, "slip"}, Then: corrected(ctp, ctp, three)},
		"correcting needs a reason":                       {Given: given(itemed, out, failed), When: Correct{To: cmp}, Refused: "invalid-field", Field: "reason"},
		"a correction is to an outcome":                   {Given: given(itemed, out, failed), When: Correct{To: events.StatusCancelled, Reason: "slip"}, Refused: "invalid-field", Field: "to"},
		"a correction to partial needs the items":         {Given: given(itemed, out, failed), When: Correct{To: ctp, Reason: "slip"}, Refused: "invalid-field", Field: "items"},
		"a correction to another has none":                {Given: given(itemed, out, failed), When: Correct{cmp, two, "slip"}, Refused: "invalid-field", Field: "items"},
		"a correction to the same changes nothing":        {Given: given(itemed, out, failed), When: Correct{To: fld, Reason: "slip"}},
		"another attempt names the new delivery":          {Given: given(itemed, out, failed), When: Reattempt{"2026-03-03", next}, Then: then(&events.DeliveryReattempted{Date: "2026-03-03", Next: next})},
		"there is one further attempt, of the newest":     {Given: given(itemed, out, failed, &events.DeliveryReattempted{Next: next}), When: Reattempt{"2026-03-04", id}, Refused: "delivery-reattempted"},
		"another attempt has a date":                      {Given: given(itemed, out, failed), When: Reattempt{"soon", next}, Refused: "invalid-field", Field: "date"},
		"what had an outcome once is never deleted":       {Given: given(itemed, out, failed, &events.DeliveryReturned{}), When: Delete{}, Refused: "delivery-concluded"},
		"what never had one is":                           {Given: given(itemed, out, &events.DeliveryReturned{}), When: Delete{}, Then: then(deleted)},
		"what was deleted is not created again":           {Given: given(created, deleted), When: valid, Refused: "delivery-exists"},
		"corrected to completed it is not reattempted":    {Given: given(itemed, out, failed, &events.DeliveryOutcomeCorrected{From: fld, To: cmp}), When: Reattempt{"2026-03-03", next}, Refused: "delivery-status"},
		"corrected to partial it is, with what came back": {Given: given(itemed, out, completed, &events.DeliveryOutcomeCorrected{From: cmp, To: ctp, Rejected: two}), When: Reattempt{"2026-03-03", next}, Then: then(&events.DeliveryReattempted{Date: "2026-03-03", Next: next})},
	})
}

func TestChange(t *testing.T) {
	t.Parallel()
	known := events.DeliveryDetails{DONumber: "DO-1", Date: "2026-03-02", Address: events.PersonalText(id, "Main St 1"), Items: itemed.Items}
	change := func(how func(*Change)) Change {
		c := Change{Delivery: id, Known: known}
		how(&c)
		return c
	}
	text := func(s string) *string { return &s }
	after := func(how func(*events.DeliveryDetails)) []events.Payload {
		d := known
		how(&d)
		return then(&events.DeliveryChanged{Before: known, After: d})
	}
	aggregatetest.Decide(t, Evolve, tests{
		"what is named changes, the rest stays":     {Given: given(itemed), When: change(func(c *Change) { c.Recipient = text(" Ann ") }), Then: after(func(d *events.DeliveryDetails) { d.Recipient = events.PersonalText(id, "Ann") })},
		"a text is taken away":                      {Given: given(itemed), When: change(func(c *Change) { c.Address = text("") }), Then: after(func(d *events.DeliveryDetails) { d.Address = events.Personal{} })},
		"number and date change":                    {Given: given(itemed), When: change(func(c *Change) { c.DONumber, c.Date = text(" DO  9 "), text("2026-04-01") }), Then: after(func(d *events.DeliveryDetails) { d.DONumber, d.Date = "DO 9", "2026-04-01" })},
		"items are replaced":                        {Given: given(itemed), When: change(func(c *Change) { c.Items = &[]events.Item{{ID: "z", Quantity: 1}} }), Then: after(func(d *events.DeliveryDetails) { d.Items = []events.Item{{ID: "z", Quantity: 1}} })},
		"what is the same changes nothing":          {Given: given(itemed), When: change(func(c *Change) { c.DONumber, c.Address, c.Items = text("DO-1 "), text("Main St 1"), &known.Items })},
		"naming nothing changes nothing":            {Given: given(itemed), When: change(func(*Change) {})},
		"the number stays one":                      {Given: given(itemed), When: change(func(c *Change) { c.DONumber = text(" ") }), Refused: "invalid-field", Field: "do_number"},
		"the date stays one":                        {Given: given(itemed), When: change(func(c *Change) { c.Date = text("2026-02-30") }), Refused: "invalid-field", Field: "date"},
		"texts stay bounded":                        {Given: given(itemed), When: change(func(c *Change) { c.Address = text(strings.Repeat("a", 1001)) }), Refused: "invalid-field", Field: "address"},
		"items stay items":                          {Given: given(itemed), When: change(func(c *Change) { c.Items = &[]events.Item{{ID: "a"}, {ID: "a"}} }), Refused: "invalid-field", Field: "items[1].id"},
		"a completed one is not changed":            {Given: given(itemed, out, &events.DeliveryCompleted{}), When: change(func(c *Change) { c.Date = text("2026-04-01") }), Refused: "delivery-status"},
		"one whose outcome was corrected is not so": {Given: given(itemed, out, partly, &events.DeliveryOutcomeCorrected{To: events.StatusFailed}), When: change(func(c *Change) { c.Date = text("2026-04-01") }), Refused: "delivery-status"},
	})
	s := aggregatetest.From(Evolve, itemed, &events.DeliveryChanged{After: events.DeliveryDetails{DONumber: "DO-5", Date: "2026-05-05"}})
	if s.Key != (Key{apple, events.TypeDelivery, "DO-5", "2026-05-05"}) {
		t.Errorf("after a change the key is %v", s.Key)
	}
}

func TestTheNextAttemptIsTheSameAgainOrWhatCameBack(t *testing.T) {
	t.Parallel()
	known := events.DeliveryDetails{DONumber: "DO-1", Date: "2026-03-02", Address: events.PersonalText(id, "Main St 1"), Items: itemed.Items}
	again := &events.DeliveryReattempted{Date: "2026-03-03", Next: next}
	want := &events.DeliveryCreated{DONumber: "DO-1", Type: events.TypeDelivery, Date: "2026-03-03", Group: banana, Attempt: 2, Previous: id,
		Address: events.PersonalText(next, "Main St 1"), Items: itemed.Items}
	rest := *want
	rest.Items = []events.Item{{ID: "a", SKU: "s", Quantity: 2}}
	moved := &events.DeliveryTagged{FromGroup: apple, Group: banana}
	cases := tests{}
	for name, tc := range map[string]struct {
		given []events.Payload
		want  *events.DeliveryCreated
	}{
		"all of what failed":        {given(itemed, moved, out, &events.DeliveryFailed{}, again), want},
		"the rest of a partial one": {given(itemed, moved, out, partly, again), &rest},
	} {
		create := aggregatetest.From(Evolve, tc.given...).Again(id, again.Date, known)
		cases[name] = aggregatetest.Case[State]{When: create, Then: then(tc.want)}
	}
	aggregatetest.Decide(t, Evolve, cases)
}
