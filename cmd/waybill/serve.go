package main

import (
	"context"
	"errors"
	"fmt"
)

// serverFlags say how to serve.
type serverFlags struct {
	Listen     string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on (${default}); port 0 takes a free one."`
	SetupToken string `placeholder:"SECRET" help:"Whoever sends this in the header Waybill-Setup-Token may make organisations over HTTP. Better given as WAYBILL_SETUP_TOKEN. Default: nobody may."`
	metricsFlags
	edgeFlags
}

// serveCmd runs the server.
type serveCmd struct {
	serverFlags
	mailFlags
	storageFlags
	NoMigrate bool `help:"Leave the database's schema alone; waybill migrate brings it up."`
	logFlags
}

// Run implements the verb.
func (c *serveCmd) Run(ctx context.Context, m *Main) error {
	l, err := listen(c.Listen)
	if err != nil {
		return err
	}
	defer l.Close()
	mails, err := c.mailing(urlOf(l))
	if err != nil {
		return err
	}
	figures, err := c.serverFlags.metrics(l, mails.public)
	if err != nil {
		return err
	}
	defer figures.close()
	log := c.logger(m.Stderr)
	err = withSystem(ctx, systemConfig{storageFlags: c.storageFlags, SkipMigrate: c.NoMigrate, Mailing: mails, Pace: m.pace, Log: log}, func(ctx context.Context, s *system) error {
		s.edge, s.metrics = c.edgeFlags, figures
		return s.serve(ctx, l, c.SetupToken, func() {
			fmt.Fprintf(m.Stdout, "waybill %s serves on %s\n%s\n%s\n%s\nCtrl-C ends it.\n", version(), urlOf(l), s.storage, s.mailWay(), figures)
			if m.Serving != nil {
				m.Serving(urlOf(l))
			}
		})
	})
	return endedBySignal(ctx, err)
}

// endedBySignal says that ending a server on request is no failure.
func endedBySignal(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
