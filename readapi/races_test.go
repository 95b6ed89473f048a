package readapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"waybill/events"
)

// racers is how many writers come at once, half of them to another process.
const racers = 32

// TestWritersAtOnce runs the rules about many writers against one stack and a
// second process beside it, which keeps its own states and knows nothing but what
// is stored.
func TestWritersAtOnce(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.late(t)
	other := s.beside(t)
	for rule, test := range map[string]func(*testing.T, *stack, *stack){
		"ManyGrantsToOneUserAllLand":                        testManyGrantsToOneUserAllLand,
		"GrantsAndRevocationsAtOnceAllCount":                testGrantsAndRevocationsAtOnceAllCount,
		"OneOfManyWhoReplaceWhatTheySawWins":                testOneOfManyWhoReplaceWhatTheySawWins,
		"OneOfManyGetsAName":                                testOneOfManyGetsAName,
		"OneOfManyGetsANumber":                              testOneOfManyGetsANumber,
		"OneOfManyUsesALink":                                testOneOfManyUsesALink,
		"OneOfManyAcceptsAClientsInvitation":                testOneOfManyAcceptsAClientsInvitation,
		"OwnersWhoEndEachOtherLeaveOne":                     testOwnersWhoEndEachOtherLeaveOne,
		"OneKeyIsExecutedOnceByWhicheverProcess":            testOneKeyIsExecutedOnceByWhicheverProcess,
		"WhatIsGrantedWhileAGroupIsArchivedDoesNotComeBack": testWhatIsGrantedWhileAGroupIsArchivedDoesNotComeBack,
		"WhatIsTaggedWhileAGroupIsMergedFollowsIt":          testWhatIsTaggedWhileAGroupIsMergedFollowsIt,
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			test(t, s, other)
		})
	}
}

// race sends requests at once, the odd ones to the other process.
func race(n int, other *stack, send func(i int, p func(person) person) answer) []answer {
	answers := make([]answer, n)
	var start, end sync.WaitGroup
	start.Add(1)
	for i := range n {
		end.Go(func() {
			start.Wait()
			answers[i] = send(i, func(p person) person {
				if i%2 == 1 {
					p.s = other
				}
				return p
			})
		})
	}
	start.Done()
	end.Wait()
	return answers
}

// winner checks that one answer has the status and the others the other status,
// with a code, and returns which one.
func winner(t *testing.T, answers []answer, won, lost int, code string) int {
	t.Helper()
	one := -1
	for i, a := range answers {
		switch {
		case a.status == won && one < 0:
			one = i
		case a.status == won:
			t.Errorf("writers %d and %d both won: %s, %s", one, i, answers[one].body, a.body)
		case a.status != lost || !strings.Contains(a.body, code):
			t.Errorf("writer %d: %d %s, want %d with %q", i, a.status, a.body, lost, code)
		}
	}
	if one < 0 {
		t.Fatalf("nobody won: %d %s", answers[0].status, answers[0].body)
	}
	return one
}

// stream returns the events of an aggregate.
func (s *stack) stream(t *testing.T, category string, org, id uuid.UUID) []events.Event {
	t.Helper()
	codec, err := events.NewCodec(nil)
	must(t, err)
	records, err := s.store.Read(t.Context(), events.Stream(category, org, id).String(), 0, 1000)
	must(t, err)
	all := make([]events.Event, len(records))
	for i, r := range records {
		all[i], err = codec.Decode(r)
		must(t, err)
	}
	return all
}

func count(all []events.Event, name string) (n int) {
	for _, ev := range all {
		if ev.Record.Type == name {
			n++
		}
	}
	return n
}

// groupsOf returns the groups that a user has by its stream.
func groupsOf(all []events.Event) []uuid.UUID {
	open := map[uuid.UUID]uuid.UUID{}
	for _, ev := range all {
		switch e := ev.Payload.(type) {
		case *events.GroupAccessGranted:
			open[e.Grant] = e.Group
		case *events.GroupAccessRevoked:
			delete(open, e.Grant)
		}
	}
	var groups []uuid.UUID
	for _, g := range open {
		groups = append(groups, g)
	}
	return groups
}

func same(a, b []uuid.UUID) bool {
	by := func(x, y uuid.UUID) int { return strings.Compare(x.String(), y.String()) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), by), slices.SortedFunc(slices.Values(b), by))
}

func (p person) manyGroups(t *testing.T, n int) []uuid.UUID {
	t.Helper()
	groups := make([]uuid.UUID, n)
	for i := range groups {
		groups[i] = p.group(t, fmt.Sprint("Group ", i))
	}
	return groups
}

func testManyGrantsToOneUserAllLand(t *testing.T, s, other *stack) {
	f := newFruit(t, s)
	groups := f.owner.manyGroups(t, racers)
	for i, a := range race(racers, other, func(i int, at func(person) person) answer {
		return at(f.owner).do(t, "PUT", f.adam.path("/groups/"+groups[i].String()), "")
	}) {
		if a.status != http.StatusOK || !strings.Contains(a.body, `"changed":true`) {
			t.Errorf("grant %d: %d %s", i, a.status, a.body)
		}
	}
	if got, want := groupsOf(s.stream(t, events.CategoryUser, f.owner.org(t), f.adam.user)), append(groups, f.apple); !same(got, want) {
		t.Errorf("the user has %d groups, want all %d", len(got), len(want))
	}
}

func testGrantsAndRevocationsAtOnceAllCount(t *testing.T, s, other *stack) {
	f := newFruit(t, s)
	groups := f.owner.manyGroups(t, racers)
	had, gets := groups[:racers/2], groups[racers/2:]
	for _, g := range had {
		f.owner.done(t, "PUT", f.adam.path("/groups/"+g.String()), "")
	}
	for i, a := range race(racers, other, func(i int, at func(person) person) answer {
		method := "DELETE" // one half; the other half gets its group
		if slices.Contains(gets, groups[i]) {
			method = "PUT"
		}
		return at(f.owner).do(t, method, f.adam.path("/groups/"+groups[i].String()), "")
	}) {
		if a.status != http.StatusOK || !strings.Contains(a.body, `"changed":true`) {
			t.Errorf("writer %d: %d %s", i, a.status, a.body)
		}
	}
	all := s.stream(t, events.CategoryUser, f.owner.org(t), f.adam.user)
	if got, want := groupsOf(all), append(gets, f.apple); !same(got, want) {
		t.Errorf("the user has %v, want %v", got, want)
	}
	for i, ev := range all { // each was decided on what was there
		if e, ok := ev.Payload.(*events.GroupAccessRevoked); ok && e.RemainingGroups != len(groupsOf(all[:i+1])) {
			t.Errorf("a revocation says that %d groups remain, there were %d", e.RemainingGroups, len(groupsOf(all[:i+1])))
		}
	}
}

func testOneOfManyWhoReplaceWhatTheySawWins(t *testing.T, s, other *stack) {
	f := newFruit(t, s)
	groups := f.owner.manyGroups(t, racers)
	seen := f.owner.etag(t, f.adam)
	won := winner(t, race(racers, other, func(i int, at func(person) person) answer {
		return at(f.owner).do(t, "PUT", f.adam.path("/groups"), fmt.Sprintf(`{"groups": [%q]}`, groups[i]), "If-Match", seen)
	}), http.StatusOK, http.StatusPreconditionFailed, "revision-mismatch")
	if got := groupsOf(s.stream(t, events.CategoryUser, f.owner.org(t), f.adam.user)); !same(got, groups[won:won+1]) {
		t.Errorf("the user has %v, want what the winner gave", got)
	}
}

func testOneOfManyGetsAName(t *testing.T, s, other *stack) {
	f := newFruit(t, s)
	names := []string{"Kiwi", " kiwi ", "ＫＩＷＩ"}
	winner(t, race(racers, other, func(i int, at func(person) person) answer {
		return at(f.owner).do(t, "POST", "/v1/groups", fmt.Sprintf(`{"name": %q}`, names[i%3]))
	}), http.StatusCreated, http.StatusConflict, "group-name-taken")
	groups := f.owner.manyGroups(t, racers)
	won := winner(t, race(racers, other, func(i int, at func(person) person) answer {
		return at(f.owner).do(t, "POST", "/v1/groups/"+groups[i].String()+"/rename", `{"name": "Lemon"}`)
	}), http.StatusOK, http.StatusConflict, "group-name-taken")
	for i, g := range groups {
		if renamed := count(s.stream(t, events.CategoryGroup, f.owner.org(t), g), "GroupRenamed"); (renamed == 1) != (i == won) {
			t.Errorf("group %d was renamed %d times, the winner is %d", i, renamed, won)
		}
	}
}

func testOneOfManyGetsANumber(t *testing.T, s, other *stack) {
	f := newFruit(t, s)
	winner(t, race(racers, other, func(_ int, at func(person) person) answer {
		return at(f.owner).do(t, "POST", "/v1/deliveries", fmt.Sprintf(`{"do_number": "ONE", "date": "2026-03-02", "group": %q}`, f.apple))
	}), http.StatusCreated, http.StatusConflict, "do-number-taken")
	// By moving there, too: each comes from a group of its own.
	groups := f.owner.manyGroups(t, racers)
	drops := make([]uuid.UUID, racers)
	for i, g := range groups {
		drops[i] = f.owner.deliver(t, "TWO", "2026-03-02", g)
	}
	won := winner(t, race(racers, other, func(i int, at func(person) person) answer {
		return at(f.owner).do(t, "POST", "/v1/deliveries/"+drops[i].String()+"/tag", fmt.Sprintf(`{"group": %q, "reason": "race"}`, f.apple))
	}), http.StatusOK, http.StatusConflict, "do-number-taken")
	for i, d := range drops {
		if tagged := count(s.stream(t, events.CategoryDelivery, f.owner.org(t), d), "DeliveryTagged"); (tagged == 1) != (i == won) {
			t.Errorf("delivery %d was tagged %d times, the winner is %d", i, tagged, won)
		}
	}
}
