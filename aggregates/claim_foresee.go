package aggregates

import (
	"context"

	"github.com/google/uuid"
)

// Foresee returns who would keep others from claiming a key: the zero id when it
// is free for whoever comes. It waits for who is about to finish, as [Claims.Take]
// does, and appends nothing.
func (c *Claims) Foresee(ctx context.Context, cmd Command, key Key) (uuid.UUID, error) {
	claim, err := c.read(ctx, c.Stream(cmd.Org, key).String())
	if err != nil || !claim.Held {
		return uuid.Nil, err
	}
	fate, err := c.await(ctx, cmd, key, claim)
	if err != nil || fate != Holds {
		return uuid.Nil, err
	}
	return claim.Holder, nil
}

// ForeseeImport reports what [Claims.TakeImport] would: whether a key is known, so
// that there is nothing to create. It appends nothing.
func (c *Claims) ForeseeImport(ctx context.Context, cmd Command, key Key) (known bool, err error) {
	stream := c.Stream(cmd.Org, key).String()
	claim, err := c.read(ctx, stream)
	switch {
	case err != nil:
		return false, err
	case claim.Known:
		return true, nil
	case !claim.Held:
		return false, nil
	case !claim.Imported:
		fate, err := c.await(ctx, cmd, key, claim)
		return fate == Holds, err
	}
	fate, err := c.judge(ctx, cmd.Org, claim.Holder, key)
	return fate == Holds || fate == Moved, err
}
