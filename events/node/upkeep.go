package node

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"

	"waybill/events/node/journal"
)

// Verified says what a verification looked at.
type Verified = journal.Verified

// Scavenged says what a scavenge reclaimed.
type Scavenged = journal.Scavenged

// Verify opens the data directory, which no node may be using, reads every record and checks that all of them are what
// was written and belong together. The error wraps ErrDamaged and names each place. A nil logger is silent.
func Verify(ctx context.Context, dir string, log *slog.Logger) (Verified, error) {
	j, err := journal.Open(journal.Options{Dir: dir, Logger: log, MustExist: true})
	if err != nil {
		return Verified{}, err
	}
	v, err := j.Verify(ctx)
	return v, errors.Join(err, j.Close())
}

// Verify is the same for the directory of an open node, beside everything that goes on.
func (n *Node) Verify(ctx context.Context) (Verified, error) { return n.journal.Verify(ctx) }

// Scavenge removes the events that no stream read shows any more and gives their space back, beside everything that goes
// on. Positions and revisions of all others stay.
func (n *Node) Scavenge(ctx context.Context) (Scavenged, error) { return n.journal.Scavenge(ctx) }

// Backup copies the data directory to dir, which must not exist, beside everything that goes on. A node opens the copy
// like any other directory; a copy that was not finished does not open.
func (n *Node) Backup(dir string) error { return n.journal.Backup(dir) }

// backupTo is where a backup asked for by name goes.
func (n *Node) backupTo(name string) (string, error) {
	switch {
	case n.cfg.BackupDir == "":
		return "", errors.New("this node takes no backups on request: it was given no directory for them")
	case name == "" || name != filepath.Base(name) || strings.HasPrefix(name, "."):
		return "", errors.New("the name of a backup must be one plain file name")
	}
	return filepath.Join(n.cfg.BackupDir, name), nil
}
