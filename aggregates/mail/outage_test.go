package mail_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/mail"
	"waybill/events"
	"waybill/events/fault"
)

func TestAnOutageOfTheServerCostsNoMailAnAttempt(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	org := p.found(t)
	p.server.down()
	registry := prometheus.NewRegistry()
	p.deliver(t, func(c *mail.Config) { c.Attempts, c.Registry = 2, registry })
	emails := make([]string, 12)
	for i := range emails {
		emails[i] = address("ina")
		p.invite(t, org, emails[i])
	}
	eventually(t, "many tries", func() bool { return metric(t, registry, "waybill_mail_outages_total", "") >= 8 })
	for _, e := range p.entries(t) {
		if e.State != mail.StateQueued && e.State != mail.StateSending || e.Attempts > 1 {
			t.Errorf("%+v", e)
		}
	}
	p.server.up()
	p.settled(t)
	for _, email := range emails {
		p.mailTo(t, email, 1)
	}
	// What became of a mail is recorded first, and counted then.
	eventually(t, "13 mails are counted as sent", func() bool { return metric(t, registry, "waybill_mail_outcomes_total", "sent") == 13 })
}

func metric(t testing.TB, r *prometheus.Registry, name, label string) float64 {
	t.Helper()
	all, err := r.Gather()
	must(t, err)
	var sum float64
	for _, family := range all {
		for _, m := range family.GetMetric() {
			hit := label == ""
			for _, l := range m.GetLabel() {
				hit = hit || l.GetValue() == label
			}
			if family.GetName() == name && hit {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

func TestWhatIsRefusedHasFailedAndWhatIsPutOffIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	org := p.found(t)
	registry := prometheus.NewRegistry()
	p.deliver(t, func(c *mail.Config) { c.Attempts, c.Registry = 4, registry })
	p.settled(t)
	outbox := mail.Outbox{Pool: p.pools.Identity, Now: p.clock.Now}
	await := func(id uuid.UUID, state string) mail.Entry {
		t.Helper()
		var e mail.Entry
		eventually(t, "a mail is "+state, func() bool {
			for _, e = range p.entries(t) {
				if e.User == id && e.State == state {
					return true
				}
			}
			return false
		})
		return e
	}
	p.server.answers("RCPT", "550 5.1.1 no such person")
	refused := address("refused")
	e := await(p.invite(t, org, refused), mail.StateFailed)
	if e.Attempts != 1 || e.Reason != "the mail server refused the recipient (550 5.1.1)" {
		t.Errorf("%+v", e)
	}
	p.server.answers("RCPT", "451 4.7.1 come back")
	e = await(p.invite(t, org, address("later")), mail.StateFailed)
	if e.Attempts != 4 || e.Reason != "given up after 4 attempts: the mail server refused the recipient (451 4.7.1)" {
		t.Errorf("%+v", e)
	}
	eventually(t, "the metric tells what has failed", func() bool { return metric(t, registry, "waybill_mail_outbox", mail.StateFailed) == 2 })
	p.server.answers("RCPT", "")
	must(t, outbox.Retry(t.Context(), e.Event))
	if e = await(e.User, mail.StateSent); e.Attempts != 1 || e.SentAt.IsZero() || e.Identity == uuid.Nil {
		t.Errorf("put back: %+v", e)
	}
	if err := outbox.Retry(t.Context(), e.Event); !fault.Is(err, fault.Conflict) {
		t.Errorf("what was sent cannot be put back: %v", err)
	}
	if err := outbox.Retry(t.Context(), uuid.New()); !fault.Is(err, fault.NotFound) {
		t.Errorf("what is not there cannot be put back: %v", err)
	}
	if len(p.server.mails(refused)) != 0 {
		t.Error("what was refused has been sent")
	}
}

func TestAMailThatWaitsForAPolicyIsSentOnceItHasActed(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	org, email := p.found(t), address("carl")
	ctx, system := t.Context(), access.System(org)
	added, err := p.commands.AddClient(ctx, system, command.Envelope{}, command.AddClient{BusinessName: "Cherry", Contact: "Carl", Email: email, GroupName: "Cherry"})
	must(t, err)
	identity, err := p.access.Ensure(ctx, email)
	must(t, err)
	// The process that made the account died before it made the contact a user.
	stream := events.Stream(events.CategoryClientAccount, org, added.ID).String()
	before, err := p.store.Read(ctx, stream, 0, 100)
	must(t, err)
	proposed, err := p.codec.Encode(ctx, []events.Draft{{ID: uuid.New(), Metadata: events.Metadata{Org: org, Actor: events.Actor{Type: events.ActorSystem}, RecordedAt: p.clock.Now()},
		Payload: &events.ClientAccountCreated{Mode: events.ModeOnBehalf, Approval: events.ApprovalNotRequired, User: uuid.New(), Identity: identity,
			Details: events.ClientDetails{BusinessName: "Cherry", Contact: events.PersonalText(added.ID, "Carl"), Email: events.PersonalText(added.ID, email)}}}})
	must(t, err)
	_, err = p.store.Append(ctx, stream, events.Expected(len(before)-1), proposed)
	must(t, err)
	registry := prometheus.NewRegistry()
	p.deliver(t, func(c *mail.Config) { c.Registry, c.Attempts = registry, 1 })
	eventually(t, "it is looked at twice", func() bool { return metric(t, registry, "waybill_mail_outcomes_total", "put_off") >= 2 })
	if got := p.server.mails(email); len(got) != 0 {
		t.Errorf("%d mails before there is a user", len(got))
	}
	records, err := p.store.Read(ctx, stream, uint64(len(before)), 1)
	must(t, err)
	ev, err := p.codec.Decode(records[0])
	must(t, err)
	_, err = p.commands.FollowClient(ctx, system, ev)
	must(t, err)
	if status := p.use(t, linkOf(t, p, p.mailTo(t, email, 1)), password); status != http.StatusOK {
		t.Errorf("its link: %d", status)
	}
}
