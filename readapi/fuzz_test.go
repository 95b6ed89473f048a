package readapi

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
)

func FuzzCursor(f *testing.F) {
	c, err := newCursors(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	who := access.Caller{Org: uuid.UUID{1}, User: uuid.UUID{2}}
	good := c.seal(who, "/v1/deliveries", []byte("a place"))
	for _, seed := range []string{"", good, good[:10], good + "A", strings.ToUpper(good), "=", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		place, err := c.open(who, "/v1/deliveries", cursor)
		if err == nil && string(place) != "a place" {
			t.Errorf("%q was made up and opens as %q", cursor, place)
		}
	})
}

func FuzzTrackingStatus(f *testing.F) {
	for _, s := range trackingStatuses() {
		f.Add(s)
		f.Add(strings.ToUpper(strings.ReplaceAll(s, " ", "_")))
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, ok := parseTracking(text)
		if ok != (len(filter.statuses) > 0) {
			t.Errorf("%q: %v, %+v", text, ok, filter)
		}
	})
}

func TestFiltersAndDerivationOfTrackingStatusesAgree(t *testing.T) {
	t.Parallel()
	for _, want := range trackingStatuses() {
		filter, ok := parseTracking(strings.ReplaceAll(want, " ", "-"))
		if !ok {
			t.Errorf("%s is not read", want)
		}
		reached := false
		for _, status := range filter.statuses {
			for _, vehicle := range []bool{false, true} {
				for _, later := range []bool{false, true} {
					reached = reached || tracking(status, vehicle, later) == want
				}
			}
		}
		if !reached {
			t.Errorf("%s comes of none of %v", want, filter.statuses)
		}
	}
}
