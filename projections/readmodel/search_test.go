package readmodel_test

import (
	"testing"

	"github.com/google/uuid"

	"waybill/events"
)

func TestASearchFindsWithinTheScopeByTheDatabaseAlone(t *testing.T) {
	t.Parallel()
	h := sample()
	ids := map[string]uuid.UUID{}
	for name, tagged := range map[string]struct{ org, group uuid.UUID }{"in Apple": {org, apple}, "in Banana": {org, banana},
		"in none": {org, uuid.Nil}, "in Old": {org, old}, "foreign": {otherOrg, foreign}, "deleted": {org, apple}, "changed": {org, apple}} {
		ids[name] = uuid.New()
		h.happens(events.CategoryDelivery, tagged.org, ids[name], &events.DeliveryCreated{DONumber: name, Type: events.TypeDelivery, Date: "2026-03-02",
			Group: tagged.group, Attempt: 1, Recipient: events.PersonalText(ids[name], "Zoë Tan")})
	}
	h.happens(events.CategoryDelivery, org, ids["deleted"], &events.DeliveryDeleted{})
	h.happens(events.CategoryDelivery, org, ids["changed"], &events.DeliveryChanged{
		Before: events.DeliveryDetails{DONumber: "changed", Date: "2026-03-02", Recipient: events.PersonalText(ids["changed"], "Zoë Tan")},
		After:  events.DeliveryDetails{DONumber: "changed", Date: "2026-03-02", Recipient: events.PersonalText(ids["changed"], "Ben")}})
	b := newBench(t, h.codec)
	b.project(t, h.records)
	const found = `SELECT do_number FROM read.delivery_search JOIN read.deliveries USING (delivery_id)`
	for _, c := range []struct{ user, word, want string }{
		{"Adam", "zoe", "in Apple"},
		{"Betty", "zoe", "in Banana"},
		{"Ortega", "zoe", ""},
		{"Wayne", "zoe", "in Apple in Banana"},
		{"Vincent", "zoe", "in Apple in Banana in Old in none"},
		{"Foreigner", "zoe", "foreign"},
		{"Adam", "ben", "changed"},
		{"Adam", "apple", "in Apple"},
		{"Vincent", "nobody", ""},
		{"Vincent", "", ""}, // nothing is searched for
		{"Vincent", "zo", ""},
	} {
		a := b.caller(t, people[c.user])
		a.search = c.word
		if got := b.sees(t, a, found); got != c.want {
			t.Errorf("%s searches for %q and finds %q, want %q", c.user, c.word, got, c.want)
		}
		if got, want := b.sees(t, a, `SELECT count(*)::text FROM read.delivery_search`), b.sees(t, a, `SELECT count(*)::text FROM read.delivery_search JOIN read.deliveries USING (delivery_id)`); got != want {
			t.Errorf("%s sees %s entries of the index, and %s of deliveries that are seen", c.user, got, want)
		}
	}
}
