package commandapi

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/problem"
)

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	var he *problem.HTTPError
	if !errors.As(err, &he) || he.Status != status || he.RetryAfter <= 0 {
		t.Errorf("error %v, want one of status %d that says when to try again", err, status)
	}
}

func TestAnOrganisationHasOneImportAtATimeAndTheOthersComeInOrder(t *testing.T) {
	t.Parallel()
	const slots = 2
	turns := newTurns(slots, time.Minute)
	a, b, c, d := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	begin := func(org uuid.UUID) func() {
		end, err := turns.begin(t.Context(), org)
		if err != nil {
			t.Fatal(err)
		}
		return end
	}
	endA, endB := begin(a), begin(b)
	_, err := turns.begin(t.Context(), a)
	wantStatus(t, err, http.StatusConflict)

	came := make(chan uuid.UUID, 2)
	ends := make(chan func(), 2)
	wait := func(org uuid.UUID) {
		go func() {
			end, err := turns.begin(t.Context(), org)
			if err != nil {
				t.Error(err)
				return
			}
			came <- org
			ends <- end
		}()
		for waiting := false; !waiting; { // until it has lined up
			turns.mu.Lock()
			waiting = turns.orgs[org]
			turns.mu.Unlock()
		}
	}
	wait(c)
	_, err = turns.begin(t.Context(), c) // who waits has one, too
	wantStatus(t, err, http.StatusConflict)
	endA()
	if first := <-came; first != c {
		t.Error("the slot went to somebody else")
	}
	again := begin // a has to line up like everybody
	wait(d)
	endB()
	endB() // twice is once
	if second := <-came; second != d {
		t.Error("the slot went to somebody else")
	}
	short, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := turns.begin(short, a); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone away gets %v", err)
	}
	(<-ends)()
	(<-ends)()
	again(a)()
}

func TestAnImportWhoseTurnDoesNotComeIsToldToTryAgain(t *testing.T) {
	t.Parallel()
	turns := newTurns(1, time.Millisecond)
	end, err := turns.begin(t.Context(), uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	late := uuid.New()
	_, err = turns.begin(t.Context(), late)
	wantStatus(t, err, http.StatusServiceUnavailable)
	end()
	if _, err := turns.begin(t.Context(), late); err != nil {
		t.Errorf("later: %v", err)
	}
}
