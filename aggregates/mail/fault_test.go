package mail_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/mail"
	"waybill/projections"
	"waybill/projections/readmodel"
)

// transport is a function as one.
type transport func(context.Context, mail.Message) error

func (f transport) Send(ctx context.Context, m mail.Message) error { return f(ctx, m) }

// invite adds a user without HTTP, and returns the id.
func (p *post) invite(t testing.TB, org uuid.UUID, email string) uuid.UUID {
	t.Helper()
	made, err := p.commands.AddUser(t.Context(), access.System(org), command.Envelope{}, command.AddUser{Name: "Ina", Email: email, Role: access.RoleManager})
	must(t, err)
	must(t, p.progress.Wait(t.Context(), made.Position))
	return made.ID
}

// found makes an organisation whose mails are not sent.
func (p *post) found(t testing.TB) uuid.UUID {
	t.Helper()
	made, err := p.commands.CreateOrganisation(t.Context(), access.System(uuid.Nil), command.Envelope{},
		command.CreateOrganisation{Name: "Fruit " + uuid.NewString()[:8], Kind: "operator", Timezone: "UTC", Owner: command.Owner{Name: "Olivia", Email: address("owner")}})
	must(t, err)
	must(t, p.progress.Wait(t.Context(), made.Owner.Position))
	return made.Organisation
}

func TestAMailAcceptedBeforeACrashIsSentAgainUnderItsIDWithAFreshLink(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	org, email := p.found(t), address("ina")
	p.invite(t, org, email)
	// The process dies after the server has accepted the mails and before that is
	// recorded: its database is gone at that moment.
	dying, err := projections.Open(t.Context(), projections.Config{URL: p.url})
	must(t, err)
	real := p.server.smtp(t)
	var accepted atomic.Int32
	first := p.sender(t, func(c *mail.Config) {
		c.Pool, c.Parallel, c.Grace = dying.Identity, 1, time.Millisecond
		c.Transport = transport(func(ctx context.Context, m mail.Message) error {
			if accepted.Load() == 2 {
				return &mail.Away{Reason: "dead"}
			}
			err := real.Send(ctx, m)
			if accepted.Add(1) == 2 {
				go dying.Identity.Close()
				eventually(t, "the database is gone", func() bool { return dying.Identity.Ping(context.WithoutCancel(ctx)) != nil })
			}
			return err
		})
	})
	ctx, die := context.WithCancel(t.Context())
	dead := make(chan error, 1)
	stop := p.outbox(t, first.Wake)
	p.settledOutbox(t, 2)
	go func() { dead <- first.Run(ctx) }()
	eventually(t, "both mails were accepted", func() bool { return accepted.Load() == 2 })
	die()
	<-dead
	stop()
	dying.Close()
	before := p.server.mails("")
	if len(before) != 2 {
		t.Fatalf("%d mails before the crash, want 2", len(before))
	}
	again, old := before[1].to, before[1].letter(t)
	p.deliver(t, nil)
	for _, e := range p.settled(t)[mail.KindUserInvitation] {
		if e.State != mail.StateSent {
			t.Errorf("%+v", e)
		}
	}
	l := p.mailTo(t, again, 2)
	if l.MessageID != old.MessageID {
		t.Errorf("sent again as %s, first as %s", l.MessageID, old.MessageID)
	}
	if p.use(t, linkOf(t, p, old), password) == http.StatusOK {
		t.Error("the link of the first mail works beside the second one's")
	}
	if status := p.use(t, linkOf(t, p, l), password); status != http.StatusOK {
		t.Errorf("the link of the mail that was sent again: %d", status)
	}
	p.mailTo(t, before[0].to, 1) // recorded in time
}

// settledOutbox waits until the outbox has so many rows.
func (p *post) settledOutbox(t testing.TB, n int) {
	t.Helper()
	eventually(t, "the outbox is filled", func() bool { return len(p.entries(t)) == n })
}

func TestNeitherAReplayNorARebuildSendsAgain(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	stop := p.deliver(t, nil)
	f := p.firm(t, "Fruit")
	email := address("ina")
	f.add(t, "Ina", email)
	p.mailTo(t, email, 1)
	p.settled(t)
	rows := p.entries(t)
	// The consumer follows the log from its start.
	stop()
	_, err := p.pools.Projector.Exec(t.Context(), `UPDATE ops.projections SET commit_position = 0, prepare_position = 0 WHERE name = 'mail'`)
	must(t, err)
	stop = p.deliver(t, nil)
	p.settled(t)
	stop()
	// The read models are built anew while mails are sent.
	stop = p.deliver(t, nil)
	must(t, p.model.Clear(t.Context()))
	p.follow(t)
	head, err := p.store.Head(t.Context())
	must(t, err)
	eventually(t, "the read models are built", func() bool {
		var at int64
		must(t, p.pools.Projector.QueryRow(t.Context(), `SELECT commit_position FROM ops.projections WHERE name = $1`, readmodel.Name).Scan(&at))
		return uint64(at) >= head.Commit
	})
	again := address("iris")
	f.add(t, "Iris", again)
	p.mailTo(t, again, 1)
	p.settled(t)
	stop()
	if sent := p.server.mails(""); len(sent) != 3 {
		t.Errorf("%d mails, want one for each of three people", len(sent))
	}
	now := p.entries(t)
	if len(now) != len(rows)+1 {
		t.Errorf("%d rows, want one more than %d", len(now), len(rows))
	}
	for _, e := range now {
		if e.State != mail.StateSent || e.Attempts != 1 {
			t.Errorf("%+v", e)
		}
	}
}

func TestMailsThatHaveLostTheirMeaningAreDropped(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	org := p.found(t)
	ctx, system := t.Context(), access.System(org)
	wants := map[string]string{} // why, by address
	user := func(why string, then func(id uuid.UUID) error) {
		t.Helper()
		email := address("u")
		id := p.invite(t, org, email)
		if then != nil {
			must(t, then(id))
		}
		wants[id.String()] = why
	}
	env := command.Envelope{}
	accept := func(id uuid.UUID) error {
		_, err := p.commands.AcceptInvitation(ctx, system, env, command.AcceptInvitation{User: id})
		return err
	}
	reset := func(id uuid.UUID) error { _, err := p.commands.RequestPasswordReset(ctx, system, env, id); return err }
	block := func(id uuid.UUID) error { _, err := p.commands.BlockUser(ctx, system, env, id); return err }
	user("", nil)
	user("accepted", accept)
	user("superseded,", func(id uuid.UUID) error { _, err := p.commands.ResendInvitation(ctx, system, env, id); return err })
	user("revoked", func(id uuid.UUID) error { _, err := p.commands.RevokeInvitation(ctx, system, env, id); return err })
	user("removed", func(id uuid.UUID) error { _, err := p.commands.RemoveUser(ctx, system, env, id); return err })
	user("blocked,", block) // and told so
	user("accepted,superseded,", func(id uuid.UUID) error { return errors.Join(accept(id), reset(id), reset(id)) })
	wantsReset := func(id uuid.UUID) error {
		err := errors.Join(accept(id), reset(id))
		_, set := p.commands.RecordPasswordSet(ctx, system, env, id)
		return errors.Join(err, set)
	}
	user("accepted,password set", wantsReset)
	user("accepted,password set,unblocked", func(id uuid.UUID) error {
		err := errors.Join(accept(id), reset(id), block(id))
		_, open := p.commands.UnblockUser(ctx, system, env, id)
		_, set := p.commands.RecordPasswordSet(ctx, system, env, id)
		return errors.Join(err, open, set)
	})
	client := func(why string, then func(id, invitation uuid.UUID) error) {
		t.Helper()
		added, err := p.commands.AddClient(ctx, system, env, command.AddClient{BusinessName: "Client " + uuid.NewString()[:8], Contact: "Carl", Email: address("c")})
		must(t, err)
		invited, err := p.commands.InviteClient(ctx, system, env, command.InviteClient{Client: added.ID})
		must(t, err)
		must(t, then(added.ID, invited.Invitation))
		wants[added.ID.String()] = why
	}
	client("", func(uuid.UUID, uuid.UUID) error { return nil })
	client("superseded,", func(id, _ uuid.UUID) error {
		_, err := p.commands.ResendClientInvitation(ctx, system, env, id)
		return err
	})
	client("revoked", func(id, _ uuid.UUID) error {
		_, err := p.commands.RevokeClientInvitation(ctx, system, env, id)
		return err
	})
	client("removed", func(id, _ uuid.UUID) error {
		_, err := p.commands.RemoveClient(ctx, system, env, command.RemoveClient{Client: id})
		return err
	})
	client("revoked,", func(id, _ uuid.UUID) error { // told of its account instead
		_, err := p.commands.CreateClientAccount(ctx, system, env, command.CreateClientAccount{Client: id})
		return err
	})
	contact := func(why string, then func(user uuid.UUID) error) {
		t.Helper()
		added, err := p.commands.AddClient(ctx, system, env, command.AddClient{BusinessName: "Client " + uuid.NewString()[:8], Contact: "Carl", Email: address("c")})
		must(t, err)
		made, err := p.commands.CreateClientAccount(ctx, system, env, command.CreateClientAccount{Client: added.ID})
		must(t, err)
		must(t, then(made.User))
		wants[added.ID.String()] = why
	}
	contact("", func(uuid.UUID) error { return nil })
	contact("revoked", func(id uuid.UUID) error { _, err := p.commands.RevokeInvitation(ctx, system, env, id); return err })
	contact("blocked", block)
	contact("removed", func(id uuid.UUID) error { _, err := p.commands.RemoveUser(ctx, system, env, id); return err })
	p.deliver(t, nil)
	p.settled(t)
	got := map[string][]string{}
	list := p.entries(t)
	for i := range list {
		e := list[len(list)-1-i]
		id := e.User
		if id == uuid.Nil {
			id = e.Client
		}
		if e.State != mail.StateSent && e.State != mail.StateDropped {
			t.Errorf("%+v", e)
		}
		got[id.String()] = append(got[id.String()], e.Reason)
	}
	for id, why := range wants {
		if !sameReasons(got[id], strings.Split(why, ",")) {
			t.Errorf("%s: %q, want %q", id, got[id], why)
		}
	}
	// On the first start on an old log nobody is mailed about what is long over.
	old := newPost(t)
	org = old.found(t)
	for range 3 {
		old.invite(t, org, address("old"))
	}
	old.clock.forward(8 * 24 * time.Hour)
	old.deliver(t, nil)
	kinds := old.settled(t)
	if n := len(kinds[mail.KindUserInvitation]); n != 4 || len(old.server.mails("")) != 0 {
		t.Errorf("%d invitations, %d mails; want 4 and none", n, len(old.server.mails("")))
	}
	for _, e := range kinds[mail.KindUserInvitation] {
		if e.State != mail.StateDropped || e.Reason != "expired" {
			t.Errorf("%+v", e)
		}
	}
}

// sameReasons compares without looking at the order, which rows of one instant do
// not have.
func sameReasons(got, want []string) bool {
	count := map[string]int{}
	for _, s := range got {
		count[s]++
	}
	for _, s := range want {
		count[s]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}
