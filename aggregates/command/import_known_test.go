package command_test

import (
	"testing"

	"waybill/aggregates/command"
	"waybill/aggregates/importing"
	"waybill/events"
)

// append appends an event at the start of a stream.
func (b *bundle) append(stream string, draft events.Draft) {
	b.Helper()
	evs, err := b.codec.Encode(b.ctx, []events.Draft{draft})
	b.must(err)
	_, err = b.store.Append(b.ctx, stream, events.NoStream, evs)
	b.must(err)
}

func TestAFileThatIsMostlyKnownBringsWhatIsNew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple := b.group("Apple")
	_, err := b.s.MapCustomerCode(b.ctx, b.owner, env(), command.MapCustomerCode{Code: "Apple", Group: apple})
	b.must(err)
	drafts := file(40, "Apple")
	var old []importing.Draft
	for i, d := range drafts {
		if i%4 != 1 {
			old = append(old, d)
		}
	}
	_, _, err = b.load(b.s, b.owner, old)
	b.must(err)

	// Of what is new, DO-1 was made by hand. The imports of DO-5, which ended
	// between its claim and its creation, and of DO-9, whose creation was made
	// impossible since, left nothing else.
	b.delivery("DO-1", apple)
	claims := b.claims()
	for _, number := range []string{"DO-5", "DO-9"} {
		claim := claims.Import(b.raw(), doKey(apple, number))
		b.append(claim.Stream, claim.Event)
		if number == "DO-9" {
			b.append(events.Stream(events.CategoryDelivery, b.org, claim.Holder).String(),
				events.Draft{ID: claim.Holder, Metadata: events.Metadata{Org: b.org}, Payload: &events.CreationAbandoned{Claim: claim.Stream}})
		}
	}

	report, outcomes, err := b.load(b.process(), b.owner, drafts)
	b.must(err)
	wantCounts(t, report, 40, 9, 31, 0, 0)
	if len(outcomes) != 40 {
		t.Errorf("%d outcomes were reported, want one per draft", len(outcomes))
	}
	if all := b.created(); len(all) != 40 {
		t.Errorf("the log holds %d deliveries, want 40", len(all))
	}
}

func TestARepeatedImportSaysWhatItDid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	drafts := file(12, "Apple")
	_, _, err := b.load(b.s, b.owner, drafts[:2])
	b.must(err)
	once := env()
	for range 2 {
		report, err := b.process().ImportDeliveries(b.ctx, b.owner, once, command.ImportDeliveries{File: "wms.csv", CreateGroups: true, Drafts: each(drafts)})
		b.must(err)
		wantCounts(t, report, 12, 10, 2, 0, 0)
	}
}
