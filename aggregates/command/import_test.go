package command_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/importing"
	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
)

// file is n deliveries of some codes.
func file(n int, codes ...string) []importing.Draft {
	drafts := make([]importing.Draft, n)
	for i := range drafts {
		drafts[i] = importing.Draft{
			Rows: []int{i + 2}, Code: codes[i%len(codes)], Type: events.TypeDelivery, DONumber: fmt.Sprintf("DO-%d", i),
			Date: "2026-03-02", Address: "Main Street 1", Recipient: "Ann",
			Items: []events.Item{{ID: "1", SKU: "A", Quantity: 1}, {ID: "2", SKU: "B", Quantity: 2}},
		}
	}
	return drafts
}

func each(drafts []importing.Draft) iter.Seq2[importing.Draft, error] {
	return func(yield func(importing.Draft, error) bool) {
		for _, d := range drafts {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func (b *bundle) load(s *command.Service, c access.Caller, drafts []importing.Draft, change ...func(*command.ImportDeliveries)) (command.ImportReport, []command.Outcome, error) {
	b.Helper()
	var outcomes []command.Outcome
	in := command.ImportDeliveries{File: "wms.csv", CreateGroups: true, Drafts: each(drafts), Report: func(o command.Outcome) { outcomes = append(outcomes, o) }}
	for _, f := range change {
		f(&in)
	}
	report, err := s.ImportDeliveries(b.ctx, c, env(), in)
	return report, outcomes, err
}

// created counts the deliveries of the organisation in the whole log, by key,
// and checks that none is there twice.
func (b *bundle) created() map[string]uuid.UUID {
	b.Helper()
	found := map[string]uuid.UUID{}
	for r, err := range b.store.ReadAll(b.ctx, b.from, store.Forwards) {
		b.must(err)
		if id, err := events.ParseStream(r.Stream); err != nil || id.Org != b.org || r.Type != "DeliveryCreated" {
			continue
		}
		ev, err := b.codec.Decode(r)
		b.must(err)
		p := ev.Payload.(*events.DeliveryCreated)
		key := fmt.Sprint(p.Group, p.Type, p.DONumber, p.Date)
		if _, twice := found[key]; twice {
			b.Errorf("delivery %s was created twice", key)
		}
		found[key] = ev.Stream.UUID()
	}
	return found
}

func wantCounts(t *testing.T, got command.ImportReport, read, created, known, rejected, groups int) {
	t.Helper()
	if want := (command.ImportCounts{Read: read, Created: created, AlreadyKnown: known, Rejected: rejected, GroupsCreated: groups}); got.ImportCounts != want {
		t.Errorf("the import reports %+v, want %+v", got.ImportCounts, want)
	}
}

func TestImportingTwiceCreatesNothingTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	drafts := file(620, "apple", "Banana", "")
	first, outcomes, err := b.load(b.s, b.owner, drafts)
	b.must(err)
	wantCounts(t, first, 620, 620, 0, 0, 2)
	if len(outcomes) != 620 {
		t.Errorf("%d outcomes were reported, want one per draft", len(outcomes))
	}
	all := b.created()
	if len(all) != 620 {
		t.Errorf("the log holds %d deliveries, want 620", len(all))
	}
	head, err := b.store.Head(b.ctx)
	b.must(err)
	if first.Position.IsZero() || first.Position.After(head) {
		t.Errorf("the import ended at %v, and the log at %v", first.Position, head)
	}
	second, _, err := b.load(b.process(), b.somebody(access.RoleManager, true), drafts)
	b.must(err)
	wantCounts(t, second, 620, 0, 620, 0, 0)

	// Also after a re-tag, an untagging, and a manual delivery with the number that became free.
	moved := slices.IndexFunc(outcomes, func(o command.Outcome) bool { return o.DONumber == "DO-0" })
	_, err = b.s.TagDelivery(b.ctx, b.owner, because("sold"), command.TagDelivery{Delivery: outcomes[moved].Delivery, Group: b.group("Orange")})
	b.must(err)
	loose := slices.IndexFunc(outcomes, func(o command.Outcome) bool { return o.DONumber == "DO-1" })
	_, err = b.s.UntagDelivery(b.ctx, b.owner, env(), outcomes[loose].Delivery)
	b.must(err)
	third, _, err := b.load(b.process(), b.owner, drafts)
	b.must(err)
	wantCounts(t, third, 620, 0, 620, 0, 0)
	if again := b.created(); len(again) != 620 {
		t.Errorf("the log holds %d deliveries after three imports, want 620", len(again))
	}
}

func TestANumberKnownFromAnImportIsFreeToAManualDelivery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	drafts := file(1, "Apple")
	_, outcomes, err := b.load(b.s, b.owner, drafts)
	b.must(err)
	_, err = b.s.UntagDelivery(b.ctx, b.owner, env(), outcomes[0].Delivery)
	b.must(err)
	ev, err := b.codec.Decode(b.records(events.CategoryDelivery, outcomes[0].Delivery)[0])
	b.must(err)
	apple := ev.Payload.(*events.DeliveryCreated).Group
	manual := b.delivery("DO-0", apple)
	report, _, err := b.load(b.s, b.owner, drafts)
	b.must(err)
	wantCounts(t, report, 1, 0, 1, 0, 0)
	_, err = b.s.TagDelivery(b.ctx, b.owner, because("moved"), command.TagDelivery{Delivery: manual, Group: b.group("Banana")})
	b.must(err)
	report, _, err = b.load(b.s, b.owner, drafts)
	b.must(err)
	wantCounts(t, report, 1, 0, 1, 0, 0)
}

func TestImportsRacingEachOtherCreateEverythingOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	drafts := file(520, "Apple", "Banana")
	var end sync.WaitGroup
	reports := make([]command.ImportReport, 3)
	for i := range reports {
		s := b.process()
		end.Go(func() {
			var err error
			if reports[i], _, err = b.load(s, b.owner, drafts); err != nil {
				t.Error(err)
			}
		})
	}
	end.Wait()
	made := 0
	for _, r := range reports {
		made += r.Created
		if r.Created+r.AlreadyKnown != 520 {
			t.Errorf("an import reports %+v, want 520 created or known", r.ImportCounts)
		}
	}
	if all := b.created(); made != 520 || len(all) != 520 {
		t.Errorf("the imports report %d created, the log holds %d, want 520", made, len(all))
	}
}

var errStop = errors.New("the power failed")

func TestAnImportInterruptedAnywhereIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	b := setup(t)
	drafts := file(620, "Apple", "Banana")
	for _, stop := range []int{0, 1, 499, 500, 501, 619} {
		ctx, cancel := context.WithCancel(b.ctx)
		n := 0
		_, err := b.process().ImportDeliveries(ctx, b.owner, env(), command.ImportDeliveries{File: "wms.csv", CreateGroups: true,
			Drafts: func(yield func(importing.Draft, error) bool) {
				for _, d := range drafts {
					if n++; n > stop {
						cancel() // whatever is under way at that moment is dropped
						yield(importing.Draft{}, errStop)
						return
					}
					if !yield(d, nil) {
						return
					}
				}
			}})
		cancel()
		if err == nil {
			t.Errorf("an import stopped after %d drafts reported success", stop)
		}
	}
	for _, reports := range []int{1, 17, 300} { // in the middle of the creations
		ctx, cancel := context.WithCancel(b.ctx)
		n := 0
		_, err := b.process().ImportDeliveries(ctx, b.owner, env(), command.ImportDeliveries{File: "wms.csv", CreateGroups: true, Drafts: each(drafts),
			Report: func(command.Outcome) {
				if n++; n == reports {
					cancel()
				}
			}})
		cancel()
		if err == nil && n < len(drafts) { // otherwise all had been written by then
			t.Errorf("an import stopped after %d reports reported success after %d", reports, n)
		}
	}
	report, _, err := b.load(b.process(), b.owner, drafts)
	b.must(err)
	if report.Created+report.AlreadyKnown != 620 || report.Rejected != 0 {
		t.Errorf("the last import reports %+v, want 620 created or known", report.ImportCounts)
	}
	if all := b.created(); len(all) != 620 {
		t.Errorf("the log holds %d deliveries, want 620", len(all))
	}
}

// key is the claim of a delivery in Apple, as an import has it.
func doKey(g uuid.UUID, number string) aggregates.Key {
	return aggregates.Key{Kind: events.KeyDelivery, Parts: []string{g.String(), events.TypeDelivery, number, "2026-03-02"}}
}

func TestAnImportFinishesWhatAnotherClaimedAndDidNotCreate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.s = b.hasty(time.Millisecond)
	apple := b.group("Apple")
	_, err := b.s.MapCustomerCode(b.ctx, b.owner, env(), command.MapCustomerCode{Code: "Apple", Group: apple})
	b.must(err)
	claims := b.claims()

	// An import that died after claiming DO-0.
	claim := claims.Import(b.raw(), doKey(apple, "DO-0"))
	evs, err := b.codec.Encode(b.ctx, []events.Draft{claim.Event})
	b.must(err)
	_, err = b.store.Append(b.ctx, claim.Stream, events.NoStream, evs)
	b.must(err)
	// A manual creation that died after claiming DO-1.
	b.must(claims.Take(b.ctx, b.raw(), doKey(apple, "DO-1"), aggregates.Holder{Category: events.CategoryDelivery, ID: uuid.New()}))
	// An import that died after claiming DO-2, overtaken by a manual creation that died as well.
	claim = claims.Import(b.raw(), doKey(apple, "DO-2"))
	evs, err = b.codec.Encode(b.ctx, []events.Draft{claim.Event})
	b.must(err)
	_, err = b.store.Append(b.ctx, claim.Stream, events.NoStream, evs)
	b.must(err)
	evs, err = b.codec.Encode(b.ctx, []events.Draft{{ID: uuid.New(), Metadata: events.Metadata{Org: b.org}, Payload: &events.CreationAbandoned{Claim: claim.Stream}}})
	b.must(err)
	_, err = b.store.Append(b.ctx, events.Stream(events.CategoryDelivery, b.org, claim.Holder).String(), events.NoStream, evs)
	b.must(err)
	evs, err = b.codec.Encode(b.ctx, []events.Draft{{ID: uuid.New(), Metadata: events.Metadata{Org: b.org}, Payload: &events.KeyClaimed{Kind: events.KeyDelivery, Category: events.CategoryDelivery, Holder: uuid.New()}}})
	b.must(err)
	_, err = b.store.Append(b.ctx, claim.Stream, 0, evs)
	b.must(err)
	// DO-3 made by hand.
	b.delivery("DO-3", apple)

	report, _, err := b.load(b.s, b.owner, file(5, "Apple"))
	b.must(err)
	wantCounts(t, report, 5, 4, 1, 0, 0)
	report, _, err = b.load(b.process(), b.owner, file(5, "Apple"))
	b.must(err)
	wantCounts(t, report, 5, 0, 5, 0, 0)
}

func TestRowsThatCannotBeTakenAreReportedAndTheOthersTaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, gone := b.group("Apple"), b.group("Gone")
	for code, g := range map[string]uuid.UUID{"A": apple, "G": gone} {
		_, err := b.s.MapCustomerCode(b.ctx, b.owner, env(), command.MapCustomerCode{Code: code, Group: g})
		b.must(err)
	}
	_, err := b.s.ArchiveGroup(b.ctx, b.owner, because("closed"), gone)
	b.must(err)
	drafts := file(7, "a")
	drafts[1].Code, drafts[2].Code, drafts[3].Date, drafts[4].DONumber = "Z", "g", "02/03/2026", " "
	drafts[5].DONumber = " DO-0 " // the same as the first, once normalised
	report, outcomes, err := b.load(b.s, b.owner, drafts, func(in *command.ImportDeliveries) { in.CreateGroups = false })
	b.must(err)
	wantCounts(t, report, 7, 2, 1, 4, 0)
	reasons := map[int]string{}
	for _, o := range outcomes {
		if o.Status == command.OutcomeRejected {
			reasons[o.Row] = o.Reason
		}
	}
	for row, want := range map[int]string{
		3: `The customer code "Z" is unknown; map it to a group, or import with the groups to be created.`,
		4: `The group "Gone" of the customer code "g" is archived.`,
		5: `date must be a date such as 2026-03-01, between 1900 and 2200`,
		6: `do_number is required`,
	} {
		if reasons[row] != want {
			t.Errorf("row %d is rejected with %q, want %q", row, reasons[row], want)
		}
	}
}

func TestAnImportUsesAGroupThatHasTheCodesName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple := b.group("Apple")
	report, outcomes, err := b.load(b.s, b.owner, file(2, "APPLE"))
	b.must(err)
	wantCounts(t, report, 2, 2, 0, 0, 0)
	ev, err := b.codec.Decode(b.records(events.CategoryDelivery, outcomes[0].Delivery)[0])
	b.must(err)
	if p := ev.Payload.(*events.DeliveryCreated); p.Group != apple || p.Import == nil || p.Import.File != "wms.csv" || len(p.Items) != 2 {
		t.Errorf("the delivery was created as %+v, want in the group Apple, with its import and items", p)
	}
	b.wantTypes(events.CategoryGroup, apple, "GroupCreated", "CustomerCodeMapped")
}

func TestAScopedCallerImportsIntoItsOwnGroupsOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple, banana := b.group("Apple"), b.group("Banana")
	for code, g := range map[string]uuid.UUID{"A": apple, "B": banana} {
		_, err := b.s.MapCustomerCode(b.ctx, b.owner, env(), command.MapCustomerCode{Code: code, Group: g})
		b.must(err)
	}
	cso := b.somebody(access.RoleCSO, false, apple)
	report, outcomes, err := b.load(b.s, cso, file(3, "A", "B", ""), func(in *command.ImportDeliveries) { in.CreateGroups = false })
	b.must(err)
	wantCounts(t, report, 3, 2, 0, 1, 0)
	for _, o := range outcomes {
		if o.Status == command.OutcomeRejected && o.Reason != `The customer code "B" is unknown; map it to a group, or import with the groups to be created.` {
			t.Errorf("a foreign code is rejected with %q, want as if it did not exist", o.Reason)
		}
	}
	_, _, err = b.load(b.s, cso, file(1, "A"))
	wantCode(t, err, fault.Denied, "permission-missing") // making groups
	_, _, err = b.load(b.s, b.somebody(access.RoleCustomer, false, apple), nil, func(in *command.ImportDeliveries) { in.CreateGroups = false })
	wantCode(t, err, fault.Denied, "permission-missing")
}

func TestAnImportNeedsTheGroupField(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.s.DisableGroupField(b.ctx, b.owner, env())
	b.must(err)
	report, _, err := b.load(b.s, b.owner, file(2, "Apple"))
	wantCode(t, err, fault.Conflict, "group-field-off")
	wantCounts(t, report, 2, 0, 0, 0, 0)
	report, _, err = b.load(b.s, b.owner, file(2, ""))
	b.must(err)
	wantCounts(t, report, 2, 2, 0, 0, 0)
}
