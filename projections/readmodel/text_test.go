package readmodel_test

import (
	"strings"
	"testing"

	"waybill/events"
)

// Postgres stores no NUL, in a text or escaped in jsonb; one that comes by the log
// must not hold up the projection for ever.
func TestNULInAnyTextIsReplacedAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	h := newHistory()
	const x = "a\x00b"
	spoil := func(m *events.Metadata) {
		m.Reason, m.Actor.ID = x, x
		m.Approval = events.Approval{By: x, Reference: x}
	}
	h.happens(events.CategoryGroup, org, allGroup, &events.GroupCreated{Kind: events.GroupKindAll, Name: x,
		Organisation: &events.Organisation{Name: x, Kind: x, Timezone: x}}, spoil)
	for _, code := range []string{x, "a\uFFFDb"} { // one and the same, when stored
		h.happens(events.CategoryGroup, org, allGroup, &events.CustomerCodeMapped{Code: code})
	}
	h.happens(events.CategoryGroup, org, allGroup, &events.VehicleAddedToGroup{Vehicle: number(1), Name: x, Plate: x})
	id := people["Adam"]
	h.happens(events.CategoryUser, org, id, &events.UserAdded{Name: events.PersonalText(id, x), Email: events.PersonalText(id, x), Role: x})
	h.happens(events.CategoryUser, org, id, &events.UserPermissionsSet{After: events.Permissions{x: true, `\u0000`: true}})
	h.happens(events.CategoryUser, org, id, &events.GroupAccessGranted{Grant: number(2), Group: apple, Basis: x, Origin: x}, spoil)
	h.happens(events.CategoryUser, org, id, &events.GroupAccessRevoked{Grant: number(2), Group: apple}, spoil)
	h.happens(events.CategoryClientAccount, org, customers["Apple Ltd"], &events.ClientAdded{BusinessName: x,
		Contact: events.PersonalText(id, x), Email: events.PersonalText(id, x)})
	h.happens(events.CategoryDelivery, org, drops["D1"], &events.DeliveryCreated{DONumber: x, Type: x, Date: "2026-03-01",
		Address: events.PersonalText(id, x), Items: []events.Item{{ID: x, SKU: x, Description: x, Unit: x}},
		Import: &events.Import{File: x}}, spoil)
	h.happens(events.CategoryDelivery, org, drops["D1"], &events.DeliveryCompleted{Proof: []events.Proof{{Reference: x}}}, spoil)

	b := newBench(t, h.codec)
	b.project(t, h.records)
	got := tablesOf(t, b.owner(t))
	for _, table := range []string{"organisations", "groups", "customer_codes", "vehicles", "users", "grants", "clients",
		"deliveries", "delivery_items", "delivery_timeline"} {
		if !strings.Contains(got[table], "a\uFFFDb") {
			t.Errorf("read.%s has no row with the text:\n%s", table, got[table])
		}
	}
	if !strings.Contains(got["users"], `"\\u0000": true`) {
		t.Errorf("letters that only look like an escaped NUL were changed:\n%s", got["users"])
	}
}
