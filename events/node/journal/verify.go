package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Verified says what a verification looked at.
type Verified struct {
	Events  int64 // in the log
	Streams int64
	Bytes   int64 // of events
}

// maxFaults bounds how many faults a verification names before it gives up.
const maxFaults = 20

// Verify reads everything: the checksum of every event, that positions and revisions follow one another, and that log,
// index and heads say the same. It may run beside everything else, but a stream that is written to meanwhile is judged as
// it was when its turn came. The error wraps ErrDamaged and names each place, up to twenty of them.
func (j *Journal) Verify(ctx context.Context) (Verified, error) {
	v := &verifier{journal: j}
	end, _ := j.Durable()
	indexed, tombstones, err := v.log(ctx, end)
	if err == nil {
		err = v.streams(ctx, end)
	}
	if err == nil && len(v.faults) == 0 && v.indexed != indexed {
		v.fault("the index leads to %d events, the log holds %d (and %d tombstones)", v.indexed, indexed, tombstones)
	}
	return v.done, errors.Join(append(v.faults, err)...)
}

type verifier struct {
	journal *Journal
	done    Verified
	indexed int64 // events that the index leads to
	faults  []error
}

var errTooManyFaults = errors.New("more faults than are worth naming")

func (v *verifier) fault(format string, args ...any) error {
	v.faults = append(v.faults, damaged(format, args...))
	if len(v.faults) >= maxFaults {
		return errTooManyFaults
	}
	return nil
}

// log reads the log up to end and counts the events that belong into the index.
func (v *verifier) log(ctx context.Context, end uint64) (indexed, tombstones int64, err error) {
	release, err := v.journal.reading()
	if err != nil {
		return 0, 0, err
	}
	defer release()
	it, err := v.journal.db.NewIter(&pebble.IterOptions{LowerBound: putEventKey(nil, 0), UpperBound: putEventKey(nil, end+1)})
	if err != nil {
		return 0, 0, readError("read the log", err)
	}
	var last uint64
	var fault error
	for ok := it.First(); ok && fault == nil; ok = it.Next() {
		position := positionOf(it.Key())
		v.done.Events++
		v.done.Bytes += int64(len(it.Value()))
		r, whole := parseRecord(position, it.Value())
		switch {
		case !whole:
			fault = v.fault("event at position %d", position)
		case position < last:
			fault = v.fault("event at position %d overlaps the one before", position)
		case string(r.Type) == TypeTombstone && r.Revision > 1<<62:
			tombstones++
		default:
			indexed++
		}
		last = position + uint64(len(it.Value()))
		if v.done.Events%4096 == 0 && fault == nil {
			fault = ctx.Err()
		}
	}
	return indexed, tombstones, v.journal.endScan(it, fault, "verify the log")
}

// streams follows the index of every stream.
func (v *verifier) streams(ctx context.Context, end uint64) error {
	err := v.journal.eachHead(ctx, func(stream string, _ Head) error {
		h, err := v.journal.Head(ctx, stream)
		if err != nil {
			return err
		}
		v.done.Streams++
		return v.stream(stream, h, end)
	})
	if err != nil && !errors.Is(err, errTooManyFaults) {
		err = fmt.Errorf("verify: %w", err)
	}
	return err
}

func (v *verifier) stream(stream string, h Head, end uint64) error {
	all := h
	all.Limits, all.Tombstoned = Limits{}, false
	next := h.Reclaimed
	err := v.journal.Stream(stream, all, h.Reclaimed, false, func(r *Record) bool {
		if r.Revision != next {
			return false
		}
		next++
		if r.Position <= end {
			v.indexed++
		}
		return true
	})
	switch {
	case errors.Is(err, ErrDamaged):
		v.faults = append(v.faults, err)
		if len(v.faults) >= maxFaults {
			return errTooManyFaults
		}
		return nil
	case err != nil:
		return err
	case next != h.Last+1:
		return v.fault("stream %q: revision %d is missing, the last is %d", stream, next, h.Last)
	}
	return nil
}
