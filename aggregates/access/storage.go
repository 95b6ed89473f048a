package access

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"waybill/events/fault"
)

func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// Storage gives an error of Postgres its kind: Unavailable when the database
// cannot be reached, is starting, stopping or full, or when the time was up;
// others are returned as they are, which is Internal. A nil error stays nil.
func Storage(err error) error {
	if err == nil || !away(err) {
		return err
	}
	return fault.Wrap(err, fault.Unavailable, "database-unavailable", "The database cannot be reached at the moment. Try again.")
}

func away(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) || pgconn.SafeToRetry(err) {
		return true
	}
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return false
	}
	// 08 connection, 53 resources, 57 intervention by the operator, 40 rolled back.
	for _, class := range [...]string{"08", "53", "57", "40"} {
		if strings.HasPrefix(pe.Code, class) {
			return true
		}
	}
	return false
}
