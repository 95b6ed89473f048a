package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"waybill/events/node"
)

// eventstoreVerifyCmd checks the integrity of a store that no node has open.
type eventstoreVerifyCmd struct {
	eventstoreDir
	JSON bool `help:"Tell the result as JSON."`
	logFlags
}

// Run implements the verb.
func (c *eventstoreVerifyCmd) Run(ctx context.Context, m *Main) error {
	dir, err := c.dir()
	if err != nil {
		return err
	}
	v, err := node.Verify(ctx, dir, c.logger(m.Stderr))
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(m.Stdout, map[string]any{"events": v.Events, "streams": v.Streams, "bytes": v.Bytes})
	}
	_, err = fmt.Fprintf(m.Stdout, "%s is whole: %s events in %s streams, %s bytes\n", dir, thousands(int(v.Events)), thousands(int(v.Streams)), thousands(int(v.Bytes)))
	return err
}

// eventstoreBackupCmd copies a store: one that no node has open, or that of a
// running node.
type eventstoreBackupCmd struct {
	To         string `arg:"" placeholder:"DIR" help:"Directory to make; with --connection the name of one in the node's directory for backups."`
	Connection string `placeholder:"esdb://…" env:"WAYBILL_EVENTSTORE" help:"Ask this running node (see --backups of waybill eventstore). Default: the directory given by --data is copied."`
	eventstoreDir
	logFlags
}

// Help implements kong.HelpProvider.
func (*eventstoreBackupCmd) Help() string {
	return `A backup opens like any other store: waybill eventstore --data DIR.

Examples:
  waybill eventstore backup /backups/monday --data waybill-data/events
  waybill eventstore backup monday --connection 'esdb://127.0.0.1:2113?tls=false'`
}

// Run implements the verb.
func (c *eventstoreBackupCmd) Run(ctx context.Context, m *Main) error {
	made, err := c.backup(ctx, m)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(m.Stdout, "backup in %s\n", made)
	return err
}

func (c *eventstoreBackupCmd) backup(ctx context.Context, m *Main) (dir string, err error) {
	if c.Connection != "" {
		return node.RequestBackup(ctx, c.Connection, c.To)
	}
	if dir, err = filepath.Abs(c.To); err != nil {
		return "", err
	}
	return dir, c.open(m, c.logFlags, func(n *node.Node) error { return n.Backup(dir) })
}

// eventstoreScavengeCmd reclaims space in a store that no node has open.
type eventstoreScavengeCmd struct {
	eventstoreDir
	JSON bool `help:"Tell the result as JSON."`
	logFlags
}

// Run implements the verb.
func (c *eventstoreScavengeCmd) Run(ctx context.Context, m *Main) error {
	var s node.Scavenged
	err := c.open(m, c.logFlags, func(n *node.Node) (err error) {
		s, err = n.Scavenge(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(m.Stdout, map[string]any{"events": s.Events, "streams": s.Streams})
	}
	_, err = fmt.Fprintf(m.Stdout, "%s events of %s streams removed\n", thousands(int(s.Events)), thousands(s.Streams))
	return err
}

// open opens an existing store for as long as do takes.
func (d eventstoreDir) open(m *Main, log logFlags, do func(*node.Node) error) error {
	dir, err := d.dir()
	if err != nil {
		return err
	}
	n, err := node.Open(node.Config{Dir: dir, Logger: log.logger(m.Stderr), MustExist: true})
	if err != nil {
		return err
	}
	return errors.Join(do(n), n.Close())
}
