package node

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"
)

// Config says where a node keeps its data and how it serves.
type Config struct {
	// Dir is the data directory, made if missing. Required. One process at a time.
	Dir string

	// MustExist makes Open fail where there is no store yet, instead of making one.
	MustExist bool

	// Listen is the address to serve on, host:port. Port 0 takes a free one. Defaults to 127.0.0.1:0.
	Listen string

	// Advertise is the address, host:port, that gossip names to clients. Defaults to the one they reached the node at.
	Advertise string

	// BackupDir is where backups go that others ask for by name. Empty refuses them.
	BackupDir string

	// TLS makes the node serve over TLS with these certificates. Defaults to plain text.
	TLS *tls.Config

	// Authenticate tells whether a user's password is right; calls without good credentials are then refused, but those
	// that find out what the node can do. Clients send credentials over TLS only, so TLS is required with it. Defaults to
	// letting everyone in.
	Authenticate func(user, password string) bool

	// Logger receives what operators should know. Defaults to silence.
	Logger *slog.Logger

	// Now gives the time that events are stamped with. Defaults to time.Now.
	Now func() time.Time

	// NewID makes the ids of subscriptions and of events that the node writes itself. Defaults to random UUIDs.
	NewID func() uuid.UUID

	// MaxAppendSize bounds the types, data and metadata of one append, in bytes. Defaults to 1 MiB, the servers' own.
	MaxAppendSize int

	// CacheSize is the memory for blocks read from disk, in bytes. Defaults to 64 MiB. In all a node uses about this,
	// four times 32 MiB for writes, some 30 MiB for stream heads and recent event ids, and as much again at most for
	// what is not yet collected: half a GiB was the peak while ten million events were written as fast as possible,
	// and it does not grow with the number of events or streams.
	CacheSize int64

	// StopTimeout is how long calls in progress may take to end once Run is told to stop. Defaults to 5 s.
	StopTimeout time.Duration

	// files replaces the operating system's in tests of failing disks.
	files vfs.FS
}

func (c *Config) setDefaults() {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = uuid.New
	}
	if c.MaxAppendSize == 0 {
		c.MaxAppendSize = 1 << 20
	}
	if c.StopTimeout == 0 {
		c.StopTimeout = 5 * time.Second
	}
}

func (c *Config) validate() error {
	if c.Dir == "" {
		return errors.New("event store node: no data directory given")
	}
	if c.Authenticate != nil && c.TLS == nil {
		return errors.New("event store node: authentication needs TLS, or clients do not send their credentials")
	}
	if c.MaxAppendSize < 0 || c.MaxAppendSize > 16<<20 {
		return errors.New("event store node: the append limit must be between 1 byte and 16 MiB")
	}
	return nil
}
