package journal

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// State is what others keep in the journal beside events: small documents by name, as durable as events, without a
// position.

// SetState stores a document under a name and returns when it is on disk.
func (j *Journal) SetState(ctx context.Context, name string, value []byte) error {
	return j.change(ctx, func(b *builder) error { return b.batch.Set(stateKey(name), value, nil) })
}

// DropState removes a document; removing one that is not there is no error.
func (j *Journal) DropState(ctx context.Context, name string) error {
	return j.change(ctx, func(b *builder) error { return b.batch.Delete(stateKey(name), nil) })
}

// change has the committer write something that is no event.
func (j *Journal) change(ctx context.Context, apply func(*builder) error) error {
	_, err := j.wait(ctx, &request{kind: kindWrite, apply: apply})
	return err
}

// States visits the documents whose names begin with prefix, in the order of their names. The value is valid only during
// the call.
func (j *Journal) States(prefix string, visit func(name string, value []byte) error) error {
	release, err := j.reading()
	if err != nil {
		return err
	}
	defer release()
	it, err := j.db.NewIter(&pebble.IterOptions{LowerBound: stateKey(prefix), UpperBound: []byte{kindState + 1}})
	if err != nil {
		return readError("read the state", err)
	}
	var fault error
	for ok := it.First(); ok && fault == nil; ok = it.Next() {
		name := string(it.Key()[1:])
		if len(name) < len(prefix) || name[:len(prefix)] != prefix {
			break
		}
		fault = visit(name, it.Value())
	}
	return errors.Join(j.endScan(it, nil, "read the state"), fault)
}

func stateKey(name string) []byte { return append([]byte{kindState}, name...) }
