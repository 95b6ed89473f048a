package command_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"waybill/aggregates/command"
	"waybill/aggregates/importing"
	"waybill/events"
	"waybill/events/fault"
)

// numbers is the slow model of unique D.O. numbers: what each delivery's key is,
// and which keys an import has brought, by group and number.
type numbers struct {
	key      map[uuid.UUID]string
	imported map[string]bool
}

func (n *numbers) taken(key string) bool {
	for _, k := range n.key {
		if k == key {
			return true
		}
	}
	return false
}

// TestNumbersStayUniqueWhateverHappens drives random creations, moves, changes
// of number, deletions and imports, each in one of three processes, and compares every answer with the
// model's.
func TestNumbersStayUniqueWhateverHappens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ctx = t.Context() // however many checks the command line asks for
	processes := []*command.Service{b.s, b.process(), b.process()}
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++ // groups of its own for every run
		groups := []uuid.UUID{uuid.Nil}
		codes := []string{""}
		for i := range 2 {
			codes = append(codes, fmt.Sprintf("G%d-%d", run, i))
			g := b.group(codes[i+1])
			_, err := b.s.MapCustomerCode(b.ctx, b.owner, env(), command.MapCustomerCode{Code: codes[i+1], Group: g})
			b.must(err)
			groups = append(groups, g)
		}
		model := numbers{map[uuid.UUID]string{}, map[string]bool{}}
		var made []uuid.UUID
		number := func() string { return fmt.Sprintf("N%d-%d", run, rapid.IntRange(0, 1).Draw(t, "number")) }
		key := func(g int, number string) string { return fmt.Sprint(groups[g], number) }
		inGroup := rapid.IntRange(0, 2)
		service := func() *command.Service { return rapid.SampledFrom(processes).Draw(t, "process") }
		want := func(err error, taken bool) {
			t.Helper()
			var f *fault.Error
			if taken != (errors.As(err, &f) && f.Code == "do-number-taken") || !taken && err != nil {
				t.Fatalf("got error %v, want taken: %v", err, taken)
			}
		}
		numberOf := map[uuid.UUID]string{}
		t.Repeat(map[string]func(*rapid.T){
			"create": func(*rapid.T) {
				g, n := inGroup.Draw(t, "group"), number()
				res, err := service().CreateDelivery(b.ctx, b.owner, env(), command.CreateDelivery{DONumber: n, Date: "2026-03-02", Group: groups[g]})
				taken := model.taken(key(g, n))
				want(err, taken)
				if !taken {
					made = append(made, res.ID)
					model.key[res.ID], numberOf[res.ID] = key(g, n), n
				}
			},
			"move": func(t *rapid.T) {
				if len(made) == 0 {
					t.Skip("nothing to move")
				}
				d, g := rapid.SampledFrom(made).Draw(t, "delivery"), inGroup.Draw(t, "to")
				to := key(g, numberOf[d])
				var err error
				if g == 0 {
					_, err = service().UntagDelivery(b.ctx, b.owner, env(), d)
				} else {
					_, err = service().TagDelivery(b.ctx, b.owner, because("moved"), command.TagDelivery{Delivery: d, Group: groups[g]})
				}
				taken := model.key[d] != to && model.taken(to)
				want(err, taken)
				if !taken {
					model.key[d] = to
				}
			},
			"renumber": func(t *rapid.T) {
				if len(made) == 0 {
					t.Skip("nothing to renumber")
				}
				d, n := rapid.SampledFrom(made).Draw(t, "delivery"), number()
				to := strings.TrimSuffix(model.key[d], numberOf[d]) + n
				_, err := service().ChangeDelivery(b.ctx, b.owner, env(), command.ChangeDelivery{Delivery: d, DONumber: &n})
				taken := model.key[d] != to && model.taken(to)
				want(err, taken)
				if !taken {
					model.key[d], numberOf[d] = to, n
				}
			},
			"delete": func(t *rapid.T) {
				if len(made) == 0 {
					t.Skip("nothing to delete")
				}
				i := rapid.IntRange(0, len(made)-1).Draw(t, "delivery")
				_, err := service().DeleteDelivery(b.ctx, b.owner, env(), made[i])
				want(err, false)
				delete(model.key, made[i])
				made = slices.Delete(made, i, i+1)
			},
			"import": func(*rapid.T) {
				g, n := inGroup.Draw(t, "group"), number()
				_, outcomes, err := b.load(service(), b.owner, []importing.Draft{{Rows: []int{2}, Code: codes[g], Type: events.TypeDelivery, DONumber: n, Date: "2026-03-02"}})
				b.must(err)
				k := key(g, n)
				known := model.imported[k] || model.taken(k)
				status := command.OutcomeCreated
				if known {
					status = command.OutcomeKnown
				}
				if len(outcomes) != 1 || outcomes[0].Status != status {
					t.Fatalf("the import reports %+v, want %s", outcomes, status)
				}
				if !known {
					d := outcomes[0].Delivery
					made, model.imported[k] = append(made, d), true
					model.key[d], numberOf[d] = k, n
				}
			},
		})
	})
}
