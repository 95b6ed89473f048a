package readapi

import (
	"strings"
	"sync"
	"time"

	"waybill/events"
)

// Tracking statuses: what people see, derived when it is read.
const (
	infoReceived       = "Info received"
	scheduled          = "Scheduled"
	outForDelivery     = "Out for delivery"
	completed          = "Completed"
	partiallyCompleted = "Partially completed"
	failed             = "Failed"
	onHold             = "On hold"
	returned           = "Return"
	cancelled          = "Cancelled"
)

// trackingStatuses are all of them, in the order of a delivery's life.
func trackingStatuses() []string {
	return []string{infoReceived, scheduled, outForDelivery, completed, partiallyCompleted, failed, onHold, returned, cancelled}
}

// tracking derives the tracking status. later says whether the delivery's date is
// after the organisation's today.
func tracking(status string, vehicle, later bool) string {
	switch status {
	case events.StatusDispatched:
		switch {
		case !vehicle:
			return infoReceived
		case later:
			return scheduled
		default:
			return outForDelivery
		}
	case events.StatusCompleted:
		return completed
	case events.StatusCompletedPartially:
		return partiallyCompleted
	case events.StatusFailed:
		return failed
	case events.StatusOnHold:
		return onHold
	case events.StatusReturned:
		return returned
	case events.StatusCancelled:
		return cancelled
	default: // info_received, in_transit
		return infoReceived
	}
}

// trackingFilter is what a tracking status means for rows: one of some statuses,
// and a condition on top. $today stands for the organisation's today.
type trackingFilter struct {
	statuses []string
	extra    string // SQL on the row d, empty = none
}

// parseTracking reads a tracking status as a caller writes it: in any case, with
// blanks, underscores or hyphens.
func parseTracking(text string) (trackingFilter, bool) {
	text = strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(strings.TrimSpace(text)))
	for _, t := range trackingStatuses() {
		if strings.ToLower(t) == text {
			return filterOf(t), true
		}
	}
	return trackingFilter{}, false
}

func filterOf(tracking string) trackingFilter {
	switch tracking {
	case infoReceived:
		return trackingFilter{[]string{events.StatusInfoReceived, events.StatusInTransit, events.StatusDispatched},
			`(d.status <> 'dispatched' OR d.vehicle_id IS NULL)`}
	case scheduled:
		return trackingFilter{[]string{events.StatusDispatched}, `d.vehicle_id IS NOT NULL AND d.date > $today`}
	case outForDelivery:
		return trackingFilter{[]string{events.StatusDispatched}, `d.vehicle_id IS NOT NULL AND d.date <= $today`}
	case completed:
		return trackingFilter{statuses: []string{events.StatusCompleted}}
	case partiallyCompleted:
		return trackingFilter{statuses: []string{events.StatusCompletedPartially}}
	case failed:
		return trackingFilter{statuses: []string{events.StatusFailed}}
	case onHold:
		return trackingFilter{statuses: []string{events.StatusOnHold}}
	case returned:
		return trackingFilter{statuses: []string{events.StatusReturned}}
	default:
		return trackingFilter{statuses: []string{events.StatusCancelled}}
	}
}

// zones keeps the timezones of organisations once they are loaded: loading one
// reads a file. There are some 600 at most.
type zones struct{ loaded sync.Map }

// today is the organisation's day at a moment; an unknown timezone counts as
// UTC.
func (z *zones) today(now time.Time, timezone string) time.Time {
	zone := time.UTC
	if known, ok := z.loaded.Load(timezone); ok {
		zone = known.(*time.Location)
	} else if fresh, err := time.LoadLocation(timezone); err == nil {
		zone = fresh
		z.loaded.Store(timezone, fresh)
	}
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
