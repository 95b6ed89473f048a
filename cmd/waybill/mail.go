package main

import (
	"path/filepath"

	"waybill/aggregates/mail"
	"waybill/events"
	"waybill/events/consume"
	"waybill/projections"
)

// mails returns the consumer that fills the outbox, and the sender that empties
// it, which every commit of the consumer wakes. One process sends, the one that
// runs the consumer.
func (s *system) mails() (consume.Config, *mail.Sender, error) {
	fill, err := mail.NewConsumer(mail.ConsumerConfig{Codec: s.codec, Rows: mailRows, Now: s.clock.Now})
	if err != nil {
		return consume.Config{}, nil, err
	}
	log, err := projections.NewLog(projections.LogConfig{
		Name: mail.Name, Pool: s.pools.Projector, Owner: s.owner, NewRows: func() projections.Rows { return mail.NewRows() },
	})
	if err != nil {
		return consume.Config{}, nil, err
	}
	sender, err := mail.NewSender(mail.Config{
		Pool: s.pools.Identity, Store: s.store, Codec: s.codec, Executor: s.executor, Access: s.access, Transport: s.mailTransport(),
		From: s.mailing.from, PublicURL: s.mailing.base, Now: s.clock.Now, Registry: s.registry, Logger: s.log,
	})
	if err != nil {
		return consume.Config{}, nil, err
	}
	return consume.Config{
		Name: mail.Name, Prefixes: mail.Prefixes(), Log: log, Handler: fill.Handle,
		Committed: func(events.Position) { sender.Wake() },
	}, sender, nil
}

// mailRows finds the rows of the outbox in a unit of work.
func mailRows(u consume.Unit) (*mail.Rows, bool) {
	unit, ok := u.(*projections.Unit)
	if !ok {
		return nil, false
	}
	rows, ok := unit.Rows().(*mail.Rows)
	return rows, ok
}

func (s *system) mailTransport() mail.Transport {
	if s.mailing.smtp != nil {
		return s.mailing.smtp
	}
	return s.mailFiles()
}

// mailFiles is where mails are without a mail server.
func (s *system) mailFiles() *mail.Files {
	return &mail.Files{Dir: filepath.Join(s.dir, "mail")}
}

// mailWay says where mails go.
func (s *system) mailWay() string {
	if s.mailing.smtp != nil {
		return "mail is sent by " + s.mailing.smtp.String()
	}
	return "mail is written to files in " + s.mailFiles().Dir + "; waybill mail lists them"
}
