package mail

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/group"
	"waybill/aggregates/user"
	"waybill/events"
	"waybill/events/fault"
)

// letter is a mail as far as it can be known before its token is made.
type letter struct {
	Entry
	identity uuid.UUID
	to       netmail.Address
	known    bool          // who gets it has a password already
	ticket   access.Ticket // of the link; without purpose: there is none
	words    words
}

// pointless says that a mail is not to be sent, and why.
type pointless struct{ reason string }

func (p *pointless) Error() string { return "the mail has lost its meaning: " + p.reason }

// errTooEarly says that what a mail needs is not there yet.
var errTooEarly = errors.New("what the mail is about is not complete yet")

// consider looks at what the log says by now and returns the letter. Errors:
// pointless, errTooEarly, and those of the storage.
func (s *Sender) consider(ctx context.Context, e Entry) (letter, error) {
	if !s.cfg.Now().Before(e.ExpiresAt) {
		return letter{}, &pointless{reasonExpired}
	}
	history, err := s.history(ctx, e.stream())
	if err != nil {
		return letter{}, err
	}
	before, at, after, ok := split(history, e.Event)
	if !ok {
		return letter{}, fmt.Errorf("event %s is not in %s", e.Event, e.stream())
	}
	if reason := overtaken(e.Kind, after); reason != "" {
		return letter{}, &pointless{reason}
	}
	l := letter{Entry: e}
	if e.User != uuid.Nil {
		err = s.toUser(ctx, &l, at, before, history)
	} else {
		err = s.toClient(ctx, &l, at, accountOf(history))
	}
	if err != nil {
		return letter{}, err
	}
	all, err := aggregates.Load(ctx, s.cfg.Executor, organisations, e.Org, group.AllID(e.Org))
	l.words.Organisation = plain(all.Organisation.Name)
	return l, err
}

// organisations are the ALL groups, whose name is the organisation's.
var organisations = aggregates.Kind[group.State]{Category: events.CategoryGroup, Evolve: group.Evolve, Touches: group.Touches}

// toUser makes the letter about an event of a user.
func (s *Sender) toUser(ctx context.Context, l *letter, at events.Event, before, history []events.Event) error {
	if reason := userStanding(l.Kind, before, history); reason != "" {
		return &pointless{reason}
	}
	p := personOf(history)
	if err := s.address(ctx, l, p.Identity, p.name); err != nil {
		return err
	}
	switch {
	case l.Kind == KindPasswordReset:
		l.ticket = access.Ticket{Purpose: access.PurposePasswordReset}
	case l.Kind == KindUserInvitation && !l.known:
		l.ticket = access.Ticket{Purpose: access.PurposeInvitation, Invitation: p.Invitation}
	}
	l.ticket.User, l.ticket.Until = l.User, l.ExpiresAt
	l.ticket.EventAt = at.Metadata.RecordedAt
	return nil
}

// toClient makes the letter about an event of a client.
func (s *Sender) toClient(ctx context.Context, l *letter, at events.Event, a account) error {
	if a.IsRemoved {
		return &pointless{reasonRemoved}
	}
	l.words.Business = plain(a.business)
	if made, ok := at.Payload.(*events.ClientAccountCreated); ok {
		return s.toContact(ctx, l, at, made)
	}
	if a.invited == "" {
		return &pointless{reasonErased}
	}
	identity, err := s.cfg.Access.Ensure(ctx, a.invited)
	if err != nil {
		return err
	}
	l.ticket = access.Ticket{Purpose: access.PurposeClientInvitation, Client: l.Client, Invitation: a.Invitation, EventAt: at.Metadata.RecordedAt, Until: l.ExpiresAt}
	return s.address(ctx, l, identity, a.contact)
}

// toContact makes the one letter about an account that was made on a client's
// behalf. A policy makes its contact a user; the letter waits for that.
func (s *Sender) toContact(ctx context.Context, l *letter, at events.Event, made *events.ClientAccountCreated) error {
	history, err := s.history(ctx, events.Stream(events.CategoryUser, l.Org, made.User))
	if err != nil {
		return err
	}
	p := personOf(history)
	switch p.Status {
	case "":
		return errTooEarly
	case user.Removed:
		return &pointless{reasonRemoved}
	case user.Blocked:
		return &pointless{reasonBlocked}
	}
	if err := s.address(ctx, l, p.Identity, p.name); err != nil {
		return err
	}
	if !l.known && p.Status == user.Invited {
		if reason := p.over(history); reason != "" {
			return &pointless{reason}
		}
		l.ticket = access.Ticket{Purpose: access.PurposeInvitation, User: made.User, Invitation: p.Invitation, EventAt: at.Metadata.RecordedAt, Until: p.InvitationEnd}
	}
	return nil
}

// address finds where the letter goes.
func (s *Sender) address(ctx context.Context, l *letter, identity uuid.UUID, name string) error {
	email, known, err := s.cfg.Access.Contact(ctx, identity)
	switch {
	case fault.Is(err, fault.NotFound):
		return &pointless{reasonErased}
	case err != nil:
		return err
	}
	l.identity, l.known = identity, known
	l.to = netmail.Address{Name: plain(name), Address: email}
	l.words.Name, l.words.Known = plain(name), known
	return nil
}

// history reads a stream whole, its personal data opened; nothing for one that
// does not exist.
func (s *Sender) history(ctx context.Context, stream events.StreamID) ([]events.Event, error) {
	const page = 500
	var history []events.Event
	for {
		records, err := s.cfg.Store.Read(ctx, stream.String(), uint64(len(history)), page)
		if fault.Is(err, fault.NotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", stream, err)
		}
		for _, r := range records {
			e, err := s.cfg.Codec.Decode(r)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", stream, err)
			}
			history = append(history, e)
		}
		if len(records) < page {
			break
		}
	}
	if err := s.cfg.Codec.Open(ctx, history); err != nil {
		return nil, fmt.Errorf("read %s: %w", stream, err)
	}
	return history, nil
}
