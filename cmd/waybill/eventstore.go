package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"waybill/events/node"
)

// eventstoreCmd runs the embedded node alone, for several waybill processes or
// other programs that speak EventStoreDB's protocol.
type eventstoreCmd struct {
	Data   string `default:"waybill-events" placeholder:"DIR" env:"WAYBILL_EVENTSTORE_DATA" help:"Directory of the events (${default})."`
	Listen string `default:"127.0.0.1:2113" placeholder:"HOST:PORT" env:"WAYBILL_EVENTSTORE_LISTEN" help:"Address to listen on (${default}). There is no authentication: keep it on the loopback address or a closed network."`
	logFlags
}

// Run implements the verb.
func (c *eventstoreCmd) Run(ctx context.Context, m *Main) error {
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		return err
	}
	n, err := node.Open(node.Config{Dir: dir, Listen: c.Listen, Logger: c.logger(m.Stderr)})
	if err != nil {
		if errors.Is(err, node.ErrInUse) || errors.Is(err, node.ErrVersion) || errors.Is(err, node.ErrDamaged) {
			return err
		}
		return addressError(c.Listen, err)
	}
	fmt.Fprintf(m.Stdout, "event store %s on %s\n", dir, n.ConnectionString())
	if m.Serving != nil {
		m.Serving(n.ConnectionString())
	}
	return errors.Join(n.Run(ctx), n.Close())
}
