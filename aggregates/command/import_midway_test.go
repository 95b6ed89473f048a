package command_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/importing"
	"waybill/events/fault"
)

// midway imports drafts, and does something once the first batch is created and
// before any draft behind the first half is read.
func (b *bundle) midway(c access.Caller, drafts []importing.Draft, create bool, change func()) (command.ImportReport, map[string]int) {
	b.Helper()
	begun := make(chan struct{})
	reasons := map[string]int{}
	n := 0
	report, err := b.s.ImportDeliveries(b.ctx, c, env(), command.ImportDeliveries{File: "wms.csv", CreateGroups: create,
		Drafts: func(yield func(importing.Draft, error) bool) {
			for i, d := range drafts {
				if i == len(drafts)/2 {
					<-begun
					change()
				}
				if !yield(d, nil) {
					return
				}
			}
		},
		Report: func(o command.Outcome) {
			if n++; n == 1 {
				close(begun)
			}
			reasons[o.Reason]++
		}})
	b.must(err)
	return report, reasons
}

func TestAnImportEndsWithTheAccessOfWhoStartedIt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		then func(access.Caller) (access.Caller, error)
		says string
	}{
		"blocked or signed out": {func(access.Caller) (access.Caller, error) {
			return access.Caller{}, fault.New(fault.Unauthenticated, "", "nobody")
		}, "signed out, blocked or removed"},
		"lost the permission": {func(c access.Caller) (access.Caller, error) {
			c.Permissions = c.Permissions.Without(access.SetOf(access.CreateDeliveries))
			return c, nil
		}, `lost the permission "create_deliveries"`},
		"lost the group": {func(c access.Caller) (access.Caller, error) {
			c.Groups = nil
			return c, nil
		}, `"A" is unknown`},
		"may make no groups any more": {func(c access.Caller) (access.Caller, error) {
			c.Permissions = c.Permissions.Without(access.SetOf(access.ManageGroups))
			return c, nil
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			apple := b.group("Apple")
			_, err := b.s.MapCustomerCode(b.ctx, b.owner, env(), command.MapCustomerCode{Code: "A", Group: apple})
			b.must(err)
			var changed atomic.Bool
			b.identities.Now = func(c access.Caller) (access.Caller, error) {
				if !changed.Load() {
					return c, nil
				}
				return tc.then(c)
			}
			const all = 2400
			report, reasons := b.midway(b.somebody(access.RoleManager, false, apple), file(all, "A"), true, func() { changed.Store(true) })
			got := 0
			for reason, n := range reasons {
				if tc.says != "" && strings.Contains(reason, tc.says) {
					got += n
				}
			}
			least := all / 2 // what was read afterwards
			if tc.says == "" {
				least = 0
			}
			if report.Read != all || report.Created+report.Rejected != all || report.Rejected != got || got < least || report.Created == 0 {
				t.Errorf("%+v with the reasons %v, want %d of %d or more rejected for the reason %q", report.ImportCounts, reasons, least, all, tc.says)
			}
			if n := len(b.created()); n != report.Created {
				t.Errorf("%d deliveries in the log, %d are reported", n, report.Created)
			}
		})
	}
}

func TestAnImportThatWasEndedDoesNotGoOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	looks := 0
	b.identities.Now = func(c access.Caller) (access.Caller, error) {
		if looks++; looks == 2 {
			return c, fault.New(fault.Unauthenticated, "", "nobody")
		}
		return c, nil
	}
	report, _, err := b.load(b.s, b.owner, file(2000, ""))
	b.must(err)
	if report.Created != 500 || report.Rejected != 1500 || looks != 2 {
		t.Errorf("%+v after %d looks, want one batch created and nothing after the second look", report.ImportCounts, looks)
	}
}

func TestAnImportThatCannotTellWhoStartedItStops(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.identities.Now = func(c access.Caller) (access.Caller, error) {
		return c, fault.New(fault.Unavailable, "away", "The database is away.")
	}
	report, _, err := b.load(b.s, b.owner, file(10, ""))
	wantCode(t, err, fault.Unavailable, "away")
	wantCounts(t, report, 10, 0, 0, 0, 0)
}

func TestACodeThatIsUnmappedAndAGroupThatIsArchivedMidwayTakeNothingMore(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*bundle, uuid.UUID) error
		says   string
	}{
		"archived": {func(b *bundle, g uuid.UUID) error {
			_, err := b.process().ArchiveGroup(b.ctx, b.owner, because("closed"), g)
			return err
		}, "is archived"},
		"unmapped": {func(b *bundle, _ uuid.UUID) error {
			_, err := b.process().UnmapCustomerCode(b.ctx, b.owner, env(), "A")
			return err
		}, `"A" is unknown`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			apple := b.group("Apple")
			_, err := b.s.MapCustomerCode(b.ctx, b.owner, env(), command.MapCustomerCode{Code: "A", Group: apple})
			b.must(err)
			report, reasons := b.midway(b.owner, file(2400, "A"), false, func() { b.must(tc.change(b, apple)) })
			if report.Rejected < 1200 || report.Created == 0 || report.Created+report.Rejected != 2400 {
				t.Errorf("%+v, want everything behind the first half rejected", report.ImportCounts)
			}
			for reason := range reasons {
				if reason != "" && !strings.Contains(reason, tc.says) {
					t.Errorf("rejected because %q, want %q", reason, tc.says)
				}
			}
		})
	}
}
