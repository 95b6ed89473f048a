package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"

	"waybill/events/node"
)

// eventstoreCmd is what there is to do with the embedded event store.
type eventstoreCmd struct {
	Run      eventstoreRunCmd      `cmd:"" default:"withargs" help:"Run the node alone (what \"waybill eventstore\" does)."`
	Verify   eventstoreVerifyCmd   `cmd:"" help:"Read every record of a store and check that all of it is what was written."`
	Backup   eventstoreBackupCmd   `cmd:"" help:"Copy a store, also beside its running node."`
	Scavenge eventstoreScavengeCmd `cmd:"" help:"Give back the space of truncated and deleted events."`
}

// eventstoreDir is where a store's events are.
type eventstoreDir struct {
	Data string `default:"waybill-events" placeholder:"DIR" env:"WAYBILL_EVENTSTORE_DATA" help:"Directory of the events (${default}); those of waybill serve are in its data directory, under events."`
}

func (d eventstoreDir) dir() (string, error) { return filepath.Abs(d.Data) }

// eventstoreRunCmd runs the embedded node alone, for several waybill processes or
// other programs that speak EventStoreDB's protocol.
type eventstoreRunCmd struct {
	eventstoreDir
	Listen         string `default:"127.0.0.1:2113" placeholder:"HOST:PORT" env:"WAYBILL_EVENTSTORE_LISTEN" help:"Address to listen on (${default}). Without --user there is no authentication: keep it on the loopback address or a closed network."`
	Backups        string `placeholder:"DIR" env:"WAYBILL_EVENTSTORE_BACKUPS" help:"Directory for the backups that \"waybill eventstore backup\" asks for. Default: none are made on request."`
	TLSCertificate string `name:"tls-certificate" placeholder:"FILE" env:"WAYBILL_EVENTSTORE_TLS_CERTIFICATE" help:"Serve over TLS with this certificate chain (PEM)."`
	TLSKey         string `name:"tls-key" placeholder:"FILE" env:"WAYBILL_EVENTSTORE_TLS_KEY" help:"Its private key (PEM)."`
	User           string `placeholder:"NAME" env:"WAYBILL_EVENTSTORE_USER" help:"Let in only this user; needs TLS, since clients send credentials over nothing else."`
	Password       string `placeholder:"SECRET" env:"WAYBILL_EVENTSTORE_PASSWORD" help:"Its password. Better given as WAYBILL_EVENTSTORE_PASSWORD."`
	logFlags
}

// Help implements kong.HelpProvider.
func (*eventstoreRunCmd) Help() string {
	return `Examples:
  waybill eventstore --data /srv/events --listen 127.0.0.1:2113
  WAYBILL_EVENTSTORE_PASSWORD=... waybill eventstore --tls-certificate cert.pem --tls-key key.pem --user waybill`
}

// Run implements the verb.
func (c *eventstoreRunCmd) Run(ctx context.Context, m *Main) error {
	dir, err := c.dir()
	if err != nil {
		return err
	}
	cfg := node.Config{Dir: dir, Listen: c.Listen, Logger: c.logger(m.Stderr), BackupDir: c.Backups}
	if err := c.secure(&cfg); err != nil {
		return err
	}
	n, err := node.Open(cfg)
	if err != nil {
		if errors.Is(err, node.ErrInUse) || errors.Is(err, node.ErrVersion) || errors.Is(err, node.ErrDamaged) {
			return err
		}
		return addressError("--listen", c.Listen, err)
	}
	fmt.Fprintf(m.Stdout, "event store %s on %s\n", dir, n.ConnectionString())
	if m.Serving != nil {
		m.Serving(n.ConnectionString())
	}
	return errors.Join(n.Run(ctx), n.Close())
}

// secure adds TLS and authentication when they are asked for.
func (c *eventstoreRunCmd) secure(cfg *node.Config) error {
	switch {
	case (c.TLSCertificate == "") != (c.TLSKey == ""):
		return &usageError{errors.New("--tls-certificate and --tls-key belong together")}
	case c.User != "" && c.TLSCertificate == "":
		return &usageError{errors.New("--user needs --tls-certificate: clients send credentials over TLS only")}
	case (c.User == "") != (c.Password == ""):
		return &usageError{errors.New("--user and --password belong together")}
	}
	if c.TLSCertificate != "" {
		cert, err := tls.LoadX509KeyPair(c.TLSCertificate, c.TLSKey)
		if err != nil {
			return &usageError{fmt.Errorf("--tls-certificate %s with --tls-key %s: %w", c.TLSCertificate, c.TLSKey, err)}
		}
		cfg.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	if c.User != "" {
		user, password := sha256.Sum256([]byte(c.User)), sha256.Sum256([]byte(c.Password))
		cfg.Authenticate = func(u, p string) bool {
			us, ps := sha256.Sum256([]byte(u)), sha256.Sum256([]byte(p))
			return subtle.ConstantTimeCompare(us[:], user[:])&subtle.ConstantTimeCompare(ps[:], password[:]) == 1
		}
	}
	return nil
}
