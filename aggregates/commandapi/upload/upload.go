// Package upload takes files in over HTTP, onto disk, before anything is done with
// them. Who sends slowly or much holds up nobody: a sender must keep a pace, each
// organisation has a bounded number of uploads and of bytes on disk, and so have
// all together. What is counted is what this process takes in: several servers do
// not know of each other's files.
//
// It knows nothing of what is in a file.
package upload

import (
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/importing"
	"waybill/aggregates/problem"
)

// Config says what is taken in.
type Config struct {
	// MaxFile bounds one file, in bytes. Defaults to 512 MiB.
	MaxFile int64
	// MaxOrg bounds what the files of one organisation take on disk at a time,
	// in bytes; MaxAll what all do. Default to 2 and 8 times MaxFile.
	MaxOrg, MaxAll int64
	// PerOrg is how many files an organisation may have here at a time, from the
	// first byte until they are done with; All is how many there may be in all.
	// Default to 2 and 32.
	PerOrg, All int
	// Patience is how long a sender may send nothing. Defaults to 30 s.
	Patience time.Duration
	// Rate is what a sender must reach on the whole, in bytes per second, once
	// Patience has passed. Defaults to 16 KiB/s.
	Rate int64
	// TempDir is where files are kept. Defaults to the system's.
	TempDir string
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

func (c *Config) setDefaults() {
	if c.MaxFile <= 0 {
		c.MaxFile = 512 << 20
	}
	if c.MaxOrg <= 0 {
		c.MaxOrg = 2 * c.MaxFile
	}
	if c.MaxAll <= 0 {
		c.MaxAll = 8 * c.MaxFile
	}
	if c.PerOrg <= 0 {
		c.PerOrg = 2
	}
	if c.All <= 0 {
		c.All = 32
	}
	if c.Patience <= 0 {
		c.Patience = 30 * time.Second
	}
	if c.Rate <= 0 {
		c.Rate = 16 << 10
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// Dock is where files arrive. It is safe for concurrent use.
type Dock struct {
	cfg Config

	mu   sync.Mutex
	orgs map[uuid.UUID]*load // of those that have any
	all  load
}

// load is what is here of somebody.
type load struct {
	files int
	bytes int64
}

// New returns a dock without files.
func New(cfg Config) *Dock {
	cfg.setDefaults()
	return &Dock{cfg: cfg, orgs: map[uuid.UUID]*load{}}
}

// File is a file that has arrived. It must be closed.
type File struct {
	*importing.Kept
	close func()
}

// Close removes the file and makes room for others. It may be called again.
func (f *File) Close() error {
	err := f.Kept.Close()
	f.close()
	return err
}

// Take takes in the body of a request as a file of a name. The errors are fit to
// be answered: 413 for a file that is too large, 408 for a sender that is too
// slow, 400 for one that broke off, 429 for an organisation that has too many
// files here already, and 503 when there is no room for anybody's.
func (d *Dock) Take(w http.ResponseWriter, r *http.Request, org uuid.UUID, name string) (*File, error) {
	if r.ContentLength > d.cfg.MaxFile {
		return nil, d.tooLarge()
	}
	a := &arrival{dock: d, org: org, pace: d.pace(w, r)}
	if err := d.enter(org); err != nil {
		return nil, err
	}
	leave := sync.OnceFunc(a.leave)
	kept, err := importing.Keep(a, name, d.cfg.TempDir)
	if err != nil {
		leave()
		return nil, a.explain(err)
	}
	a.pace.done()
	return &File{kept, leave}, nil
}

// enter counts a file that begins to arrive.
func (d *Dock) enter(org uuid.UUID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	mine := d.orgs[org]
	switch {
	case mine != nil && mine.files >= d.cfg.PerOrg:
		return tooMany(d.cfg.PerOrg)
	case d.all.files >= d.cfg.All:
		return noRoom()
	case mine == nil:
		mine = &load{}
		d.orgs[org] = mine
	}
	mine.files++
	d.all.files++
	return nil
}

// store counts bytes that are about to be kept.
func (d *Dock) store(org uuid.UUID, n int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	mine := d.orgs[org]
	switch {
	case mine.bytes+n > d.cfg.MaxOrg:
		return full(d.cfg.MaxOrg)
	case d.all.bytes+n > d.cfg.MaxAll:
		return noRoom()
	}
	mine.bytes += n
	d.all.bytes += n
	return nil
}

// leave forgets a file of so many bytes.
func (d *Dock) leave(org uuid.UUID, n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	mine := d.orgs[org]
	mine.files--
	mine.bytes -= n
	d.all.files--
	d.all.bytes -= n
	if mine.files == 0 {
		delete(d.orgs, org)
	}
}

// soon is when it makes sense to try again.
const soon = 30 * time.Second

func noRoom() error {
	return &problem.HTTPError{Status: http.StatusServiceUnavailable, Code: "uploads-busy", RetryAfter: soon,
		Detail: "So many files are being sent at the moment that there is no room for another. Try again later."}
}
