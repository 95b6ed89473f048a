package postgres

import (
	"errors"
	"fmt"
)

// ErrNoBinaries means that no PostgreSQL programs were found and none could be
// fetched.
var ErrNoBinaries = errors.New("no PostgreSQL programs")

// ErrPortInUse means that another process listens on the wanted port.
var ErrPortInUse = errors.New("port in use")

// InUseError means that another live process owns the directory.
type InUseError struct {
	Dir     string // home of the cluster
	PID     int    // the owner; 0 when it cannot be told
	Program string // what the owner is: "waybill" or "postgres"
}

// Error names the owner and the remedy.
func (e *InUseError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%s is in use by another process: end that one, or choose another directory", e.Dir)
	}
	return fmt.Sprintf("%s is in use by process %d (%s): end it (kill %d), or choose another directory", e.Dir, e.PID, e.Program, e.PID)
}

// VersionError means that the data was made by another major version than the
// programs that were found.
type VersionError struct {
	Dir  string // data directory
	Data string // major version of the data, as "14"
	Bin  string // major version of the programs, as "15"
}

// Error names both versions and the remedy.
func (e *VersionError) Error() string {
	return fmt.Sprintf("%s was made by PostgreSQL %s, but the programs found are of PostgreSQL %s: install PostgreSQL %s (apt-get install postgresql-%s, or brew install postgresql@%s) or convert the data with pg_upgrade",
		e.Dir, e.Data, e.Bin, e.Data, e.Data, e.Data)
}

// UnreachableError means that the operating system user the server runs as
// cannot get into a directory it needs.
type UnreachableError struct {
	Dir     string // what the user needs
	Blocked string // the directory on the way that the user may not enter
	Account string // name of the user
}

// Error names the blocking directory, the user and the remedy.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s cannot be reached by user %s, as whom the database runs, because that user may not enter %s: allow it (chmod o+x %s), or choose another directory, as under /var/lib",
		e.Dir, e.Account, e.Blocked, e.Blocked)
}
