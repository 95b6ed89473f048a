package deadlines_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/consume"
	"waybill/projections"
	"waybill/projections/deadlines"
	"waybill/projections/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// keys is a key ring with the same key for everybody.
type keys struct{}

func (keys) Ensure(_ context.Context, subjects []uuid.UUID) (map[uuid.UUID]events.Key, error) {
	ring := map[uuid.UUID]events.Key{}
	for _, s := range subjects {
		ring[s] = events.Key{1}
	}
	return ring, nil
}

func (k keys) Lookup(ctx context.Context, subjects []uuid.UUID) (map[uuid.UUID]events.Key, error) {
	return k.Ensure(ctx, subjects)
}

// desk is the projection on a database of its own, and a log for it.
type desk struct {
	*testing.T
	d       *deadlines.Deadlines
	codec   *events.Codec
	records []events.Record
	at      events.Position // committed
	streams map[string]uint64
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	url := pgtest.Template(t, "migrated", func(url string) error {
		_, err := projections.Migrate(context.Background(), url)
		return err
	})
	pools, err := projections.Open(t.Context(), projections.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pools.Close)
	codec, err := events.NewCodec(keys{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := deadlines.New(deadlines.Config{Codec: codec, Pool: pools.Projector})
	if err != nil {
		t.Fatal(err)
	}
	return &desk{T: t, d: d, codec: codec, streams: map[string]uint64{}}
}

var org = uuid.MustParse("5a0a9c4e-63c5-4f0f-9d0e-1a2b3c4d5e6f")

// happens appends to the log and returns the event's id.
func (k *desk) happens(category string, id uuid.UUID, p events.Payload) uuid.UUID {
	k.Helper()
	stream := events.Stream(category, org, id).String()
	proposed, err := k.codec.Encode(k.Context(), []events.Draft{{ID: uuid.New(), Payload: p,
		Metadata: events.Metadata{Org: org, Actor: events.Actor{Type: events.ActorSystem}, RecordedAt: noon}}})
	if err != nil {
		k.Fatal(err)
	}
	at := uint64(len(k.records)+1) * 100
	e := proposed[0]
	k.records = append(k.records, events.Record{ID: e.ID, Type: e.Type, Stream: stream, Revision: k.streams[stream],
		Position: events.Position{Commit: at, Prepare: at}, Data: e.Data, Metadata: e.Metadata})
	k.streams[stream]++
	return e.ID
}

// commit delivers what is not committed, in runs of so many.
func (k *desk) commit(most int) {
	k.Helper()
	for i := 0; i < len(k.records); {
		if !k.records[i].Position.After(k.at) {
			i++
			continue
		}
		j := min(i+most, len(k.records))
		run := &consume.Run{Records: k.records[i:j], After: k.at, Last: k.records[j-1].Position, Unit: k.d.Log().Begin()}
		if err := k.d.Handle(k.Context(), run); err != nil {
			k.Fatal(err)
		}
		if err := run.Unit.Commit(k.Context(), run.After, run.Last); err != nil {
			k.Fatal(err)
		}
		k.at, i = run.Last, j
	}
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func in(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }

func (k *desk) wants(at time.Time, next time.Time, due ...uuid.UUID) {
	k.Helper()
	got, then, err := k.d.Due(k.Context(), at, 100)
	if err != nil {
		k.Fatal(err)
	}
	if !then.Equal(next) {
		k.Errorf("at %s the next is at %s, want %s", at, then, next)
	}
	if len(got) != len(due) {
		k.Fatalf("at %s are due %+v, want %v", at, got, due)
	}
	for i, d := range got {
		if d.Event != due[i] || d.Org != org {
			k.Errorf("due is %+v, want that of event %s", d, due[i])
		}
	}
}

func TestADeadlineComesWithItsEventAndGoesWithWhatEndsIt(t *testing.T) {
	t.Parallel()
	for name, most := range map[string]int{"one run": 100, "many runs": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newDesk(t)
			betty, adam, cherry := uuid.New(), uuid.New(), uuid.New()
			apple, short, kept := uuid.New(), uuid.New(), uuid.New()
			invitation, another, client := uuid.New(), uuid.New(), uuid.New()
			user := func(id uuid.UUID, p events.Payload) uuid.UUID { return k.happens(events.CategoryUser, id, p) }

			user(betty, &events.UserInvited{Invitation: invitation, ExpiresAt: in(24)})
			first := user(betty, &events.GroupAccessGranted{Grant: short, Group: apple, ExpiresAt: in(1)})
			user(betty, &events.GroupAccessGranted{Grant: kept, Group: apple}) // for good
			resent := user(betty, &events.UserInvitationResent{Invitation: invitation, ExpiresAt: in(48)})
			user(adam, &events.UserInvited{Invitation: another, ExpiresAt: in(24)})
			invited := k.happens(events.CategoryClientAccount, cherry, &events.ClientInvited{Invitation: client, Email: events.PersonalText(cherry, "c@example.com"), ExpiresAt: in(30)})
			user(adam, &events.UserInvitationAccepted{Invitation: another})
			k.commit(most)
			k.wants(in(0), in(1))
			k.wants(in(1), in(30), first)
			k.wants(in(100), time.Time{}, first, invited, resent)

			user(betty, &events.GroupAccessExpired{Grant: short, Group: apple})
			k.happens(events.CategoryClientAccount, cherry, &events.ClientInvitationDeclined{Invitation: client})
			again := k.happens(events.CategoryClientAccount, cherry, &events.ClientInvited{Invitation: uuid.New(), Email: events.PersonalText(cherry, "c@example.com"), ExpiresAt: in(60)})
			user(betty, &events.UserRemoved{})
			k.commit(most)
			k.wants(in(100), time.Time{}, again)
		})
	}
}

func TestDueDeadlinesComeInPagesTheEarliestFirst(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	var first uuid.UUID
	for i := range 5 {
		id := k.happens(events.CategoryUser, uuid.New(), &events.GroupAccessGranted{Grant: uuid.New(), Group: uuid.New(), ExpiresAt: in(5 - i)})
		if i == 4 {
			first = id
		}
	}
	k.commit(2)
	due, _, err := k.d.Due(t.Context(), in(10), 1)
	if err != nil || len(due) != 1 || due[0].Event != first {
		t.Errorf("due are %+v (%v), want that of %s alone", due, err, first)
	}
}
