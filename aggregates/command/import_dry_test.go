package command_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/importing"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

func dry(in *command.ImportDeliveries) { in.DryRun = true }

// since counts the events of the organisation behind a position, claims included.
func (b *bundle) since(p events.Position) int {
	b.Helper()
	n := 0
	for r, err := range b.store.ReadAll(b.ctx, p, store.Forwards) {
		b.must(err)
		if id, err := events.ParseStream(r.Stream); err == nil && id.Org == b.org && r.Position.After(p) {
			n++
		}
	}
	return n
}

// told is what an import tells of each row, without what only a real one has.
func told(outcomes []command.Outcome) []string {
	var lines []string
	for _, o := range outcomes {
		lines = append(lines, fmt.Sprintf("%06d %s %s %s", o.Row, o.DONumber, o.Status, o.Reason))
	}
	slices.Sort(lines)
	return lines
}

// Whatever is there and whatever the file, a dry run changes nothing and answers
// what the import answers afterwards.
func TestADryRunChangesNothingAndAnswersAsTheImport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, gone := b.group("Apple"), b.group("Gone")
	for code, g := range map[string]uuid.UUID{"A": apple, "Apples": apple, "G": gone} {
		_, err := b.s.MapCustomerCode(b.ctx, b.owner, env(), command.MapCustomerCode{Code: code, Group: g})
		b.must(err)
	}
	b.group("Closed")
	_, err := b.s.ArchiveGroup(b.ctx, b.owner, because("closed"), gone)
	b.must(err)
	scoped := b.somebody(access.RoleManager, false, apple)
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		pool := []string{"A", "apples", " a ", "G", "Gone", "Closed", "", "All", fmt.Sprintf("New %d", round), fmt.Sprintf("NEW  %d", round), fmt.Sprintf("Other %d", round), "x\x01y"}
		drafts := make([]importing.Draft, rapid.IntRange(0, 12).Draw(r, "drafts"))
		for i := range drafts {
			drafts[i] = importing.Draft{
				Rows: []int{i + 2}, Code: rapid.SampledFrom(pool).Draw(r, "code"), Type: events.TypeDelivery,
				DONumber: rapid.SampledFrom([]string{"N-1", "N-2", " N-1 ", "N-3", "", "R-" + fmt.Sprint(round)}).Draw(r, "number"),
				Date:     rapid.SampledFrom([]string{"2026-03-02", "2026-03-02", "2026-03-03", "soon"}).Draw(r, "date"),
			}
		}
		c := rapid.SampledFrom([]access.Caller{b.owner, scoped}).Draw(r, "caller")
		create := func(in *command.ImportDeliveries) {
			in.CreateGroups = len(drafts)%2 == 0
		}
		before, err := b.store.Head(b.ctx)
		b.must(err)
		planned, foreseen, err := b.load(b.process(), c, drafts, create, dry)
		b.must(err)
		if n := b.since(before); n != 0 || !planned.Position.IsZero() {
			r.Fatalf("a dry run appended %d events", n)
		}
		report, outcomes, err := b.load(b.process(), c, drafts, create)
		b.must(err)
		if planned.ImportCounts != report.ImportCounts || !slices.Equal(planned.Groups, report.Groups) {
			r.Fatalf("the dry run foresaw %+v %q, the import was %+v %q", planned.ImportCounts, planned.Groups, report.ImportCounts, report.Groups)
		}
		// Which of two equal drafts is the first is not settled.
		if got, want := told(foreseen), told(outcomes); !slices.Equal(got, want) && !twins(drafts) {
			r.Fatalf("the dry run foresaw\n%q, the import was\n%q", got, want)
		}
	})
}

// twins reports whether drafts may have the same key.
func twins(drafts []importing.Draft) bool {
	seen := map[string]bool{}
	for _, d := range drafts {
		key := fmt.Sprint(d.DONumber == "N-1" || d.DONumber == " N-1 ", d.DONumber, d.Date)
		if d.DONumber == " N-1 " {
			key = fmt.Sprint(true, "N-1", d.Date)
		}
		if seen[key] {
			return true
		}
		seen[key] = true
	}
	return false
}

func TestADryRunKnowsWhatIsThereAlready(t *testing.T) {
	t.Parallel()
	b := setup(t)
	drafts := file(620, "apple", "Banana", "")
	planned, _, err := b.load(b.s, b.owner, drafts, dry)
	b.must(err)
	wantCounts(t, planned, 620, 620, 0, 0, 2)
	if !slices.Equal(planned.Groups, []string{"apple", "Banana"}) {
		t.Errorf("groups to be made: %q", planned.Groups)
	}
	_, _, err = b.load(b.s, b.owner, drafts[:100])
	b.must(err)
	planned, _, err = b.load(b.process(), b.owner, drafts, dry)
	b.must(err)
	wantCounts(t, planned, 620, 520, 100, 0, 0)
	_, _, err = b.load(b.s, b.somebody(access.RoleCustomer, false), nil, dry)
	wantCode(t, err, fault.Denied, "permission-missing")
}

func TestADryRunForeseesWhatStoodStill(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.s = b.hasty(time.Millisecond)
	apple := b.group("Apple")
	_, err := b.s.MapCustomerCode(b.ctx, b.owner, env(), command.MapCustomerCode{Code: "Apple", Group: apple})
	b.must(err)
	claims := b.claims()
	claim := claims.Import(b.raw(), doKey(apple, "DO-0")) // an import died after it
	evs, err := b.codec.Encode(b.ctx, []events.Draft{claim.Event})
	b.must(err)
	_, err = b.store.Append(b.ctx, claim.Stream, events.NoStream, evs)
	b.must(err)
	b.must(claims.Take(b.ctx, b.raw(), doKey(apple, "DO-1"), aggregates.Holder{Category: events.CategoryDelivery, ID: uuid.New()})) // a creation did
	b.delivery("DO-2", apple)
	for _, change := range []func(*command.ImportDeliveries){dry, func(*command.ImportDeliveries) {}} {
		report, _, err := b.load(b.s, b.owner, file(4, "Apple"), change)
		b.must(err)
		wantCounts(t, report, 4, 3, 1, 0, 0)
	}
}
