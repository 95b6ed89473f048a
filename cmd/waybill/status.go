package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"waybill/projections"
	"waybill/projections/postgres"
)

// statusCmd tells what is recorded of those that run on the data, whether or not
// any does at this moment.
type statusCmd struct {
	JSON bool `name:"json" env:"-" help:"Print it as JSON."`
	storageFlags
	logFlags
}

// Help completes --help.
func (*statusCmd) Help() string {
	return "A consumer follows the event log: readmodel fills the tables that queries read, the others send mail and issue commands. " +
		"What it said last: it is running; parked: it works, and has set streams aside whose events it could not take; paused by waybill consumer pause; " +
		"failed: it is at a standstill, tries again every ten seconds, and the reason says over what; or rebuilding."
}

// standing is what status tells.
type standing struct {
	Servers   []projections.Server `json:"servers"`
	Consumers []projections.Status `json:"consumers"`
}

// Run implements the verb.
func (c *statusCmd) Run(ctx context.Context, m *Main) error {
	return withDatabase(ctx, c.storageFlags, c.logFlags, m, func(ctx context.Context, s *storage, pools *projections.Pools) error {
		var now standing
		var err error
		if s.server == nil { // with a Postgres of one's own, no other process is a server
			if now.Servers, err = projections.Servers(ctx, pools.Projector); err != nil {
				return err
			}
		}
		if now.Consumers, err = projections.Consumers(ctx, pools.Projector); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(m.Stdout, now)
		}
		return now.print(m.Stdout)
	})
}

func (now standing) print(w io.Writer) error {
	for _, one := range now.Servers {
		fmt.Fprintf(w, "server %s, %s, since %s\n", one.URL, one.Owner, one.Since.Local().Format(time.RFC3339))
	}
	if len(now.Servers) == 0 {
		fmt.Fprintln(w, "no server runs on this data")
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CONSUMER\tSTATE\tPOSITION\tPARKED\tLAST HEARD OF\tREASON")
	for _, one := range now.Consumers {
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\t%s\n", one.Name, one.State, one.Position, one.Parked, one.UpdatedAt.Local().Format(time.RFC3339), one.Reason)
	}
	return table.Flush()
}

// consumerCmd stops those that follow the log, and lets them go on.
type consumerCmd struct {
	Pause  consumerPauseCmd  `cmd:"" help:"Stop a consumer until it is resumed, in whatever process it runs, also after a restart."`
	Resume consumerResumeCmd `cmd:"" help:"Let a paused consumer go on where it stopped."`
}

type consumerPauseCmd struct {
	Name   string `arg:"" help:"Name of the consumer, as waybill status lists it."`
	Reason string `required:"" help:"Why; waybill status shows it."`
	storageFlags
	logFlags
}

// Help completes --help.
func (*consumerPauseCmd) Help() string {
	return "It commits nothing from now on. What it has put on its way before goes on: mails that are queued are sent. " +
		"While readmodel is paused, lists stay as they are, and whoever waits for a command to show in them waits in vain."
}

// Run implements the verb.
func (c *consumerPauseCmd) Run(ctx context.Context, m *Main) error {
	return withDatabase(ctx, c.storageFlags, c.logFlags, m, func(ctx context.Context, _ *storage, pools *projections.Pools) error {
		if err := projections.Pause(ctx, pools.Projector, c.Name, c.Reason, givenBy()); err != nil {
			return err
		}
		_, err := fmt.Fprintf(m.Stdout, "the consumer %s is paused\n", c.Name)
		return err
	})
}

type consumerResumeCmd struct {
	Name string `arg:"" help:"Name of the consumer, as waybill status lists it."`
	storageFlags
	logFlags
}

// Run implements the verb.
func (c *consumerResumeCmd) Run(ctx context.Context, m *Main) error {
	return withDatabase(ctx, c.storageFlags, c.logFlags, m, func(ctx context.Context, _ *storage, pools *projections.Pools) error {
		if err := projections.Resume(ctx, pools.Projector, c.Name, givenBy()); err != nil {
			return err
		}
		_, err := fmt.Fprintf(m.Stdout, "the consumer %s goes on within seconds, where a server runs\n", c.Name)
		return err
	})
}

// givenBy names who gave the word.
func givenBy() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return "an operator at " + host
}

// withDatabase reaches the database alone, without running anything that follows the
// log, beside a server as well as without one.
func withDatabase(ctx context.Context, f storageFlags, l logFlags, m *Main, do func(context.Context, *storage, *projections.Pools) error) (err error) {
	s := &storage{Postgres: f.Postgres, log: l.logger(m.Stderr)}
	defer func() { err = errors.Join(err, s.close()) }()
	if f.Postgres == "" {
		err := s.startPostgres(ctx, f)
		var inUse *postgres.InUseError
		if errors.As(err, &inUse) {
			if host, ok := s.beside(inUse); ok {
				s, err = host, nil
			}
		}
		if err != nil {
			return err
		}
	}
	if s.server != nil {
		if _, err := projections.Migrate(ctx, s.Postgres); err != nil {
			return err
		}
	}
	pools, err := projections.Open(ctx, projections.Config{URL: s.Postgres})
	if err != nil {
		return err
	}
	defer pools.Close()
	return do(ctx, s, pools)
}
