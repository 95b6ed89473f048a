package aggregates

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"waybill/events"
	"waybill/events/fault"
)

// Holder is who a key is claimed for.
type Holder struct {
	Category string // of its streams
	ID       uuid.UUID
}

// Take claims a key for a holder that is about to be created by the same
// command. It returns nil when the holder has the claim, or was created before
// (so that the command is a repetition). Errors: [Taken].
//
// Whoever claimed the key before and has not come to be gets Grace to do so;
// then its creation is made impossible, by an event at the start of its own
// stream, and the claim is taken over. So one of any number of racing creators
// wins, and a crash between claim and creation blocks nothing.
func (c *Claims) Take(ctx context.Context, cmd Command, key Key, holder Holder) error {
	return c.take(ctx, cmd, key, holder, true)
}

// Move claims a further key for a holder that exists and is about to change to
// it. Errors: [Taken].
func (c *Claims) Move(ctx context.Context, cmd Command, key Key, holder Holder) error {
	return c.take(ctx, cmd, key, holder, false)
}

// rounds bounds how often a claim is looked at again because others were first.
const rounds = 64

func (c *Claims) take(ctx context.Context, cmd Command, key Key, holder Holder, creation bool) error {
	stream := c.Stream(cmd.Org, key).String()
	mine := &events.KeyClaimed{Kind: key.Kind, Category: holder.Category, Holder: holder.ID}
	err := c.append(ctx, cmd, stream, events.NoStream, mine)
	if err == nil || !lost(err) {
		return err
	}
	if creation {
		if fate, err := c.judge(ctx, cmd.Org, holder.ID, key); err != nil || fate != Unborn {
			return err
		}
	}
	return c.contest(ctx, cmd, stream, key, holder, creation)
}

// contest claims a key whose stream exists. It looks before it appends: a
// repeated append at the stream's start would be answered with success, whatever
// became of the claim since.
func (c *Claims) contest(ctx context.Context, cmd Command, stream string, key Key, holder Holder, creation bool) error {
	mine := &events.KeyClaimed{Kind: key.Kind, Category: holder.Category, Holder: holder.ID}
	for range rounds {
		claim, err := c.read(ctx, stream)
		if err != nil {
			return err
		}
		if claim.Held && claim.Holder == holder.ID && creation {
			return nil
		}
		// A holder that claims what it has already does it again, so that a
		// release decided on before comes too late.
		release, err := c.vacate(ctx, cmd, stream, key, claim, holder)
		if lost(err) {
			continue
		}
		if err != nil {
			return err
		}
		err = c.append(ctx, cmd, stream, claim.seen, append(release, mine)...)
		if err == nil && len(release) > 0 {
			var back bool
			if back, err = c.giveBack(ctx, cmd, stream, key, claim, mine); back {
				continue
			}
		}
		if err == nil || !lost(err) {
			return err
		}
	}
	return fmt.Errorf("claim %s: %w", stream, fault.New(fault.Conflict, "stream-busy", "Others keep claiming the same at the same time; try again."))
}

// vacate makes sure that nobody but the holder has the key, and returns what
// must be appended to the claim before it is claimed anew. Errors: [Taken]; a
// lost race, after which the claim must be read again.
func (c *Claims) vacate(ctx context.Context, cmd Command, stream string, key Key, claim Claim, holder Holder) ([]events.Payload, error) {
	if !claim.Held || claim.Holder == holder.ID {
		return nil, nil
	}
	fate, err := c.await(ctx, cmd, key, claim)
	if err != nil {
		return nil, err
	}
	switch fate {
	case Holds:
		return nil, Taken(key.Kind)
	case Moved:
		return []events.Payload{&events.KeyReleased{Holder: claim.Holder}}, nil
	case Unborn:
		their := events.Stream(claim.Category, cmd.Org, claim.Holder).String()
		return nil, c.append(ctx, cmd, their, events.NoStream, &events.CreationAbandoned{Claim: stream})
	}
	return nil, nil
}

// giveBack returns a claim that was taken over from a holder that had another
// key, when it turns out that it changed to this one after it was looked at. It
// reports whether the claim must be read again.
func (c *Claims) giveBack(ctx context.Context, cmd Command, stream string, key Key, before Claim, mine *events.KeyClaimed) (bool, error) {
	fate, err := c.judge(ctx, cmd.Org, before.Holder, key)
	if err != nil || fate != Holds {
		return false, err
	}
	// After the release and the claim that took it over.
	err = c.append(ctx, cmd, stream, before.seen+2, &events.KeyReleased{Holder: mine.Holder},
		&events.KeyClaimed{Kind: key.Kind, Category: before.Category, Holder: before.Holder, Imported: before.Imported})
	return err == nil || lost(err), err
}

// await gives the holder of a claim the time to finish what it is about, and
// returns what became of it.
func (c *Claims) await(ctx context.Context, cmd Command, key Key, claim Claim) (Fate, error) {
	left := min(max(c.cfg.Grace-c.x.now().Sub(claim.claimed), 0), c.cfg.Grace)
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		fate, err := c.judge(ctx, cmd.Org, claim.Holder, key)
		if err != nil || fate == Holds || fate == Abandoned || left <= 0 {
			return fate, err
		}
		pause = min(pause, left)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
			left -= pause
		case <-ctx.Done():
			timer.Stop()
			return fate, fmt.Errorf("wait for another claim: %w", ctx.Err())
		}
	}
}

func (c *Claims) judge(ctx context.Context, org, holder uuid.UUID, key Key) (Fate, error) {
	judge := c.cfg.Judges[key.Kind]
	if judge == nil {
		return Unborn, fmt.Errorf("claim: nobody judges the holders of a %s", key.Kind)
	}
	return judge(ctx, org, holder, key)
}

// Settle makes the claim of a key agree with its holder, which exists: released
// when the holder has another key now, and confirmed when it has this one. It
// reports whether the key belongs to the holder as it should; false means that
// somebody else has the key that the holder has taken on.
func (c *Claims) Settle(ctx context.Context, cmd Command, key Key, holder Holder) (bool, error) {
	stream := c.Stream(cmd.Org, key).String()
	for range rounds {
		claim, err := c.read(ctx, stream)
		if err != nil {
			return false, err
		}
		// After the claim: what the holder is then, is no older than the claim.
		fate, err := c.judge(ctx, cmd.Org, holder.ID, key)
		if err != nil {
			return false, err
		}
		held := claim.Held && claim.Holder == holder.ID
		switch {
		case fate != Holds && !held:
			return true, nil
		case fate == Holds && !held:
			err := c.contest(ctx, cmd, stream, key, holder, false)
			if isTaken(err, key.Kind) {
				return false, nil
			}
			return err == nil, err
		case fate == Holds:
			// Claimed again, so that whoever is about to take it over, having seen
			// the holder before it changed, comes too late.
			err = c.append(ctx, cmd, stream, claim.seen, &events.KeyClaimed{Kind: key.Kind, Category: holder.Category, Holder: holder.ID})
		default:
			err = c.append(ctx, cmd, stream, claim.seen, &events.KeyReleased{Holder: holder.ID})
		}
		if err == nil || !lost(err) {
			return err == nil, err
		}
	}
	return false, fault.New(fault.Conflict, "stream-busy", "Others keep claiming the same at the same time; try again.")
}
