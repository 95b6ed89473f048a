package readapi_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/commandapi"
)

// TestIdentity runs the rules about people, their sessions and their repeated
// requests against one stack.
func TestIdentity(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for rule, test := range map[string]func(*testing.T, *stack){
		"AKeyGivesOneAnswerToOneRequestOnly":                testAKeyGivesOneAnswerToOneRequestOnly,
		"RequestsAtOnceWithOneKeyAreExecutedOnce":           testRequestsAtOnceWithOneKeyAreExecutedOnce,
		"AKeptAnswerIsNotForWhoLostSight":                   testAKeptAnswerIsNotForWhoLostSight,
		"WhoTriesTooOftenWaitsWhetherOrNotThereIsAnAccount": testWhoTriesTooOftenWaitsWhetherOrNotThereIsAnAccount,
		"AnAPIKeyNeverHasMoreThanItsUser":                   testAnAPIKeyNeverHasMoreThanItsUser,
		"SignInsAndRefusalsAreOnTheTrail":                   testSignInsAndRefusalsAreOnTheTrail,
		"SessionsAreListedAndEndedByTheirOwnUserOnly":       testSessionsAreListedAndEndedByTheirOwnUserOnly,
		"ARequestLeftByACrashIsExecutedAgainAndOnceOnly":    testARequestLeftByACrashIsExecutedAgainAndOnceOnly,
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

func testAKeyGivesOneAnswerToOneRequestOnly(t *testing.T, s *stack) {
	f := newFruit(t, s)
	for _, key := range []string{uuid.NewString(), "order 4711"} {
		name := "Kiwi " + key
		first := f.owner.do(t, "POST", "/v1/groups", `{"name": "`+name+`"}`, "Idempotency-Key", key)
		again := f.owner.do(t, "POST", "/v1/groups", `{"name": "`+name+`"}`, "Idempotency-Key", key)
		if first.status != http.StatusCreated || again.status != first.status || again.body != first.body {
			t.Fatalf("again: %d %s, want %d %s", again.status, again.body, first.status, first.body)
		}
		for _, name := range []string{"Content-Type", "Location", "Waybill-Position", "Waybill-Visible", "Cache-Control", "Content-Length"} {
			if got, want := again.header.Get(name), first.header.Get(name); got != want {
				t.Errorf("%s again: %q, want %q", name, got, want)
			}
		}
		if first.header.Get("Idempotency-Replayed") != "" || again.header.Get("Idempotency-Replayed") != "true" {
			t.Error("a repetition, and nothing else, says that it is one")
		}
		a := f.owner.do(t, "POST", "/v1/groups", `{"name": "`+name+`!"}`, "Idempotency-Key", key)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "idempotency-key-reused") {
			t.Errorf("another body: %d %s", a.status, a.body)
		}
		// Another verb on the same stream is another request, whatever the key.
		var made commandapi.Done
		first.into(t, &made)
		path := "/v1/groups/" + made.ID.String()
		archived := f.owner.done(t, "POST", path+"/archive", `{"reason": "winter"}`, "Idempotency-Key", key)
		restored := f.owner.done(t, "POST", path+"/restore", `{"reason": "winter"}`, "Idempotency-Key", key)
		if !archived.Changed || !restored.Changed || restored.Revision == archived.Revision {
			t.Errorf("archived %+v, restored %+v: want two changes", archived, restored)
		}
	}
	// A refusal is an answer, too.
	taken := f.owner.do(t, "POST", "/v1/groups", `{"name": "Apple"}`, "Idempotency-Key", "taken")
	again := f.owner.do(t, "POST", "/v1/groups", `{"name": "Apple"}`, "Idempotency-Key", "taken")
	if taken.status != http.StatusConflict || again.status != taken.status || again.body != taken.body || again.header.Get("Content-Type") != taken.header.Get("Content-Type") {
		t.Errorf("a taken name: %d %s, then %d %s", taken.status, taken.body, again.status, again.body)
	}
}

func testRequestsAtOnceWithOneKeyAreExecutedOnce(t *testing.T, s *stack) {
	f := newFruit(t, s)
	body := `{"do_number": "ONCE", "date": "2026-03-02", "group": "` + f.apple.String() + `"}`
	var mu sync.Mutex
	good := map[string]int{}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			a := f.owner.do(t, "POST", "/v1/deliveries", body, "Idempotency-Key", "once")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case a.status == http.StatusCreated:
				good[a.body]++
			case a.status != http.StatusConflict || !strings.Contains(a.body, "idempotency-key-in-flight"):
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	wg.Wait()
	if len(good) != 1 {
		t.Errorf("%d different answers, want one", len(good))
	}
}

func testAKeptAnswerIsNotForWhoLostSight(t *testing.T, s *stack) {
	f := newFruit(t, s)
	ann := f.owner.add(t, "Ann", "manager", `, "groups": ["`+f.apple.String()+`"]`)
	body := `{"do_number": "MINE", "date": "2026-03-02", "group": "` + f.apple.String() + `"}`
	first := ann.do(t, "POST", "/v1/deliveries", body, "Idempotency-Key", "mine")
	if first.status != http.StatusCreated {
		t.Fatalf("%d %s", first.status, first.body)
	}
	f.owner.done(t, "DELETE", "/v1/users/"+ann.user.String()+"/groups/"+f.apple.String(), "")
	if a := ann.do(t, "POST", "/v1/deliveries", body, "Idempotency-Key", "mine"); a.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("after sight was lost the kept answer was given: %d %s", a.status, a.body)
	}
}

func testARequestLeftByACrashIsExecutedAgainAndOnceOnly(t *testing.T, s *stack) {
	f := newFruit(t, s)
	body := `{"do_number": "CRASH", "date": "2026-03-02", "group": "` + f.apple.String() + `"}`
	send := func(body string) answer {
		return f.owner.do(t, "POST", "/v1/deliveries", body, "Idempotency-Key", "crash")
	}
	first := send(body)
	// The process ended after the event was written and before the answer was kept.
	left := func(busy string) {
		tag, err := s.pools.Identity.Exec(t.Context(), `UPDATE identity.idempotency
			SET status = NULL, headers = NULL, body = NULL, busy_until = now() + $2::interval WHERE actor = $1`, "user:"+f.owner.user.String(), busy)
		must(t, err)
		if tag.RowsAffected() != 1 {
			t.Fatalf("%d rows are kept, want 1", tag.RowsAffected())
		}
	}
	left("1 minute")
	if a := send(body); a.status != http.StatusConflict || !strings.Contains(a.body, "idempotency-key-in-flight") {
		t.Errorf("while it may still be executed: %d %s", a.status, a.body)
	}
	left("-1 second")
	if a := send(strings.Replace(body, "CRASH", "OTHER", 1)); a.status != http.StatusUnprocessableEntity {
		t.Errorf("another body: %d %s", a.status, a.body)
	}
	if a := send(body); a.status != first.status || a.body != first.body {
		t.Errorf("afterwards: %d %s, want %d %s", a.status, a.body, first.status, first.body)
	}
}
