package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// one sends one mail, or drops it, and records what became of it. An error means
// that no mail can be sent at the moment.
func (s *Sender) one(ctx context.Context, queued Entry) error {
	if ctx.Err() != nil {
		return nil
	}
	e, err := s.outbox.claim(ctx, queued)
	switch {
	case errors.Is(err, errTaken):
		return nil
	case err != nil:
		return err
	}
	// Begun, it is brought to its end: an outcome that is known need not be found
	// out by sending again.
	begun, end := s.outlive(ctx)
	defer end()
	l, err := s.deliver(begun, e)
	out, outage := s.judge(e, l, err)
	if err := s.record(ctx, e, out); err != nil {
		return err
	}
	s.metrics.count(e.Kind, outcomeOf(out), 1)
	attrs := []any{"mail", e.Event, "kind", e.Kind, "attempt", e.Attempts}
	switch {
	case out.state == StateFailed:
		s.cfg.Logger.ErrorContext(ctx, "a mail has failed", append(attrs, "reason", out.reason)...)
	case out.state == StateQueued && !out.uncounted:
		s.cfg.Logger.WarnContext(ctx, "a mail was put off", append(attrs, "reason", out.reason, "again_at", out.next)...)
	default:
		s.cfg.Logger.InfoContext(ctx, "a mail is "+out.state, append(attrs, "reason", out.reason)...)
	}
	return outage
}

// outlive returns a context that ends some time after ctx.
func (s *Sender) outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(s.cfg.Grace, cancel)
		context.AfterFunc(longer, func() { t.Stop() })
	})
	return longer, func() { stop(); cancel() }
}

// deliver finds out what the mail says by now, makes its token and hands it over.
func (s *Sender) deliver(ctx context.Context, e Entry) (letter, error) {
	l, err := s.consider(ctx, e)
	if err != nil {
		return l, err
	}
	l.words.Base = s.cfg.PublicURL
	if l.ticket.Purpose != "" {
		l.ticket.Identity, l.ticket.Org, l.ticket.Event = l.identity, e.Org, e.Event
		token, until, err := s.cfg.Access.IssueToken(ctx, l.ticket)
		if err != nil {
			return l, err
		}
		l.words.Link, l.words.Until = Link(s.cfg.PublicURL, l.ticket.Purpose, token, l.to.Address), moment(until)
	}
	m := Message{Event: e.Event, Date: s.cfg.Now(), From: s.cfg.From, To: l.to}
	if m.Subject, m.Text, m.Web, err = s.wording.write(e.Kind, l.words); err != nil {
		return l, &Refusal{Permanent: true, Reason: "the mail cannot be written"}
	}
	return l, s.cfg.Transport.Send(ctx, m)
}

// soon is when to look again at what is not complete yet.
const soon = time.Second

// judge says what becomes of a mail, and whether no other can be sent either.
func (s *Sender) judge(e Entry, l letter, err error) (out outcome, outage error) {
	var lost *pointless
	var refused *Refusal
	var gone *Away
	switch {
	case err == nil:
		return outcome{state: StateSent, identity: l.identity}, nil
	case errors.As(err, &lost):
		return outcome{state: StateDropped, reason: lost.reason}, nil
	case errors.Is(err, errTooEarly):
		return outcome{state: StateQueued, next: s.cfg.Now().Add(soon), uncounted: true}, nil
	case errors.As(err, &gone):
		return outcome{state: StateQueued, reason: gone.Reason, uncounted: true}, err
	case errors.As(err, &refused) && refused.Permanent:
		return outcome{state: StateFailed, reason: refused.Reason}, nil
	case errors.As(err, &refused):
		return s.later(e, refused.Reason), nil
	case errors.Is(err, context.Canceled): // the process ends
		return outcome{state: StateQueued, reason: e.Reason, uncounted: true}, nil
	case isAway(err):
		return outcome{state: StateQueued, reason: "the stores cannot be reached", uncounted: true}, err
	}
	s.cfg.Logger.Error("a mail cannot be made", "mail", e.Event, "kind", e.Kind, "error", err)
	return s.later(e, "the mail cannot be made; the log says why"), nil
}

// later puts a mail off, or gives it up.
func (s *Sender) later(e Entry, reason string) outcome {
	if e.Attempts >= s.cfg.Attempts {
		return outcome{state: StateFailed, reason: fmt.Sprintf("given up after %d attempts: %s", e.Attempts, reason)}
	}
	return outcome{state: StateQueued, reason: reason, next: s.cfg.Now().Add(s.spread(s.cfg.MinRetry, s.cfg.MaxRetry, e.Attempts-1))}
}

// record keeps what became of a mail, however long it takes the database to come
// back; it gives up some time after ctx ended. What is not recorded is sent again
// by the next process.
func (s *Sender) record(ctx context.Context, e Entry, out outcome) error {
	longer, end := s.outlive(ctx)
	defer end()
	for failures := 0; ; failures++ {
		err := s.outbox.settle(longer, e.Event, out)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || longer.Err() != nil {
			return fmt.Errorf("what became of mail %s is not recorded: %w", e.Event, err)
		}
		s.cfg.Logger.WarnContext(ctx, "what became of a mail cannot be recorded at the moment", "mail", e.Event, "error", err)
		s.sleep(ctx, s.cfg.Now().Add(s.spread(s.cfg.MinPause, s.cfg.MaxPause, failures)), nil)
	}
}

// listen wakes the sender when somebody puts a failed mail back.
func (s *Sender) listen(ctx context.Context) error {
	for failures := 0; ; failures++ {
		err := s.hear(ctx, func() { failures = 0; s.Wake() })
		if ctx.Err() != nil {
			return nil
		}
		s.cfg.Logger.InfoContext(ctx, "mails that are put back are not heard of at the moment", "error", access.Storage(err))
		if !s.sleep(ctx, s.cfg.Now().Add(s.spread(s.cfg.MinPause, s.cfg.MaxPause, failures)), nil) {
			return nil
		}
	}
}

// hear holds a connection of its own, and calls heard at the start, when something
// may have been missed, and with every notification.
func (s *Sender) hear(ctx context.Context, heard func()) error {
	conn, err := pgx.ConnectConfig(ctx, s.cfg.Pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return err
	}
	for {
		heard()
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}
