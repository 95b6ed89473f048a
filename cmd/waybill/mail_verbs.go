package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
	"waybill/aggregates/mail"
	"waybill/events/fault"
)

// mailCmd looks after mails.
type mailCmd struct {
	List  mailListCmd  `cmd:"" default:"withargs" help:"List mails and what became of them, the latest first."`
	Show  mailShowCmd  `cmd:"" help:"Print one mail; its text only when it was written to a file."`
	Retry mailRetryCmd `cmd:"" help:"Send a mail that has failed once more."`
}

// mailListCmd lists the outbox.
type mailListCmd struct {
	State string `enum:",queued,sending,sent,failed,dropped" default:"" help:"Only those that are queued, sending, sent, failed or dropped."`
	Limit int    `default:"50" help:"At most so many (${default})."`
	JSON  bool   `help:"Print them as JSON."`
	storageFlags
	logFlags
}

// mailShowCmd prints one mail.
type mailShowCmd struct {
	ID   string `arg:"" help:"Id of the mail, from the list."`
	JSON bool   `help:"Print it as JSON."`
	storageFlags
	logFlags
}

// mailRetryCmd puts a mail back.
type mailRetryCmd struct {
	ID string `arg:"" help:"Id of the mail, from the list."`
	storageFlags
	logFlags
}

// shownMail is a mail as it is listed.
type shownMail struct {
	mail.Entry   `json:",inline"`
	Organisation string       `json:"organisation"`
	To           string       `json:"to"` // as it is known by now; empty = erased
	Letter       *mail.Letter `json:"letter,omitzero"`
}

// Run implements the verb.
func (c *mailListCmd) Run(ctx context.Context, m *Main) error {
	return withSystem(ctx, systemConfig{storageFlags: c.storageFlags, Guest: true, Pace: m.pace, Log: c.logger(m.Stderr)}, func(ctx context.Context, s *system) error {
		entries, err := s.outbox().List(ctx, c.State, max(1, c.Limit))
		if err != nil {
			return err
		}
		shown, err := s.shownMails(ctx, entries)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(m.Stdout, shown)
		}
		return printMails(m.Stdout, shown)
	})
}

// Run implements the verb.
func (c *mailShowCmd) Run(ctx context.Context, m *Main) error {
	return withSystem(ctx, systemConfig{storageFlags: c.storageFlags, Guest: true, Pace: m.pace, Log: c.logger(m.Stderr)}, func(ctx context.Context, s *system) error {
		id, err := mailID(c.ID)
		if err != nil {
			return err
		}
		e, err := s.outbox().Find(ctx, id)
		if err != nil {
			return err
		}
		shown, err := s.shownMails(ctx, []mail.Entry{e})
		if err != nil {
			return err
		}
		letter, err := s.mailFiles().Read(id)
		switch {
		case err == nil:
			shown[0].Letter = &letter
		case !fault.Is(err, fault.NotFound):
			return err
		}
		if c.JSON {
			return printJSON(m.Stdout, shown[0])
		}
		return shown[0].print(m.Stdout)
	})
}

// Run implements the verb.
func (c *mailRetryCmd) Run(ctx context.Context, m *Main) error {
	return withSystem(ctx, systemConfig{storageFlags: c.storageFlags, Guest: true, Pace: m.pace, Log: c.logger(m.Stderr)}, func(ctx context.Context, s *system) error {
		id, err := mailID(c.ID)
		if err != nil {
			return err
		}
		if err := s.outbox().Retry(ctx, id); err != nil {
			return err
		}
		_, err = fmt.Fprintf(m.Stdout, "mail %s is queued again; the server sends it\n", id)
		return err
	})
}

func (s *system) outbox() *mail.Outbox {
	return &mail.Outbox{Pool: s.pools.Identity, Now: s.clock.Now}
}

func mailID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return id, &usageError{fmt.Errorf("%q is no id of a mail: waybill mail lists them", text)}
	}
	return id, nil
}

// shownMails adds what the outbox does not keep: whose mails they are, and where
// they go.
func (s *system) shownMails(ctx context.Context, entries []mail.Entry) ([]shownMail, error) {
	ids := make([]uuid.UUID, len(entries))
	for i, e := range entries {
		ids[i] = e.Event
	}
	rows, err := s.pools.Identity.Query(ctx, `
		SELECT m.event_id, coalesce(o.name, ''), coalesce(i.email, c.email, '')
		FROM mail.outbox m
		LEFT JOIN read.organisations o USING (org_id)
		LEFT JOIN read.users u ON u.user_id = m.user_id
		LEFT JOIN read.clients c ON c.client_id = m.client_id
		LEFT JOIN identity.identities i ON i.identity_id = coalesce(m.identity_id, u.identity_id)
		WHERE m.event_id = ANY($1)`, ids)
	if err != nil {
		return nil, access.Storage(fmt.Errorf("whom mails are for: %w", err))
	}
	type whom struct {
		ID               uuid.UUID
		Organisation, To string
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[whom])
	if err != nil {
		return nil, access.Storage(fmt.Errorf("whom mails are for: %w", err))
	}
	byID := map[uuid.UUID]whom{}
	for _, w := range found {
		byID[w.ID] = w
	}
	shown := make([]shownMail, len(entries))
	for i, e := range entries {
		shown[i] = shownMail{Entry: e, Organisation: byID[e.Event].Organisation, To: byID[e.Event].To}
	}
	return shown, nil
}

func printMails(w io.Writer, mails []shownMail) error {
	if len(mails) == 0 {
		_, err := fmt.Fprintln(w, "there are no mails; the server makes them while it runs")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tWHEN\tKIND\tORGANISATION\tTO\tSTATE\tTRIES\tREASON")
	for _, m := range mails {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", m.Event, m.HappenedAt.Local().Format(time.DateTime), m.Kind, m.Organisation, m.To, m.State, m.Attempts, m.Reason)
	}
	return t.Flush()
}

func (m shownMail) print(w io.Writer) error {
	if err := printMails(w, []shownMail{m}); err != nil {
		return err
	}
	l := m.Letter
	if l == nil {
		_, err := fmt.Fprintln(w, "\nIts text is kept nowhere: it is not in a file.")
		return err
	}
	_, err := fmt.Fprintf(w, "\nFile: %s\nFrom: %s\nTo: %s\nDate: %s\nSubject: %s\nMessage-ID: %s\n\n%s", l.Path, l.From, l.To, l.Date.Format(time.RFC1123Z), l.Subject, l.MessageID, l.Text)
	return err
}
