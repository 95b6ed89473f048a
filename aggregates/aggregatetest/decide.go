package aggregatetest

import (
	"errors"
	"reflect"
	"testing"

	"waybill/events"
	"waybill/events/fault"
)

// Case is one decision: given these events, when this is decided, then either
// these events follow or it is refused.
type Case[S any] struct {
	Given []events.Payload
	When  interface {
		Decide(S) ([]events.Payload, error)
	}
	Then    []events.Payload // empty: nothing has to change
	Refused string           // the fault's code; empty: not refused
	Field   string           // the field at fault, when the code is "invalid-field"
}

// Decide checks cases by name. It also checks that deciding does not change the
// state it looks at, and that what was decided can be evolved.
func Decide[S any](t *testing.T, evolve func(S, events.Payload) S, cases map[string]Case[S]) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, again := From(evolve, tc.Given...), From(evolve, tc.Given...)
			got, err := tc.When.Decide(state)
			if !reflect.DeepEqual(state, again) {
				t.Errorf("deciding changed the state to %+v from %+v", state, again)
			}
			if tc.Refused != "" {
				checkRefusal(t, err, tc.Refused, tc.Field)
				return
			}
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if len(got) != len(tc.Then) {
				t.Fatalf("decided %d events %v, want %d", len(got), names(got), len(tc.Then))
			}
			for i, want := range tc.Then {
				if !reflect.DeepEqual(got[i], want) {
					t.Errorf("event %d is %s %+v, want %s %+v", i, got[i].EventType(), got[i], want.EventType(), want)
				}
				state = evolve(state, got[i])
			}
		})
	}
}

// From returns the state after events.
func From[S any](evolve func(S, events.Payload) S, evs ...events.Payload) S {
	var s S
	for _, e := range evs {
		s = evolve(s, e)
	}
	return s
}

func checkRefusal(t *testing.T, err error, code, field string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("got error %v, want a fault with code %q", err, code)
	}
	if f.Code != code {
		t.Errorf("refused with code %q (%v), want %q", f.Code, f, code)
	}
	if field != "" && (len(f.Fields) != 1 || f.Fields[0].Name != field) {
		t.Errorf("the fields at fault are %v, want %q", f.Fields, field)
	}
}

func names(evs []events.Payload) []string {
	out := make([]string, len(evs))
	for i, e := range evs {
		out[i] = e.EventType()
	}
	return out
}
