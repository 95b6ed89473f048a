package group

import (
	"context"
	"time"
)

// checkpoint stores how far the group has come, when it is time: after enough events or enough time, or at the end.
func (g *Group) checkpoint(ctx context.Context, last bool) error {
	g.mu.Lock()
	now, low := g.deps.Now(), g.progress.low()
	many := g.settings.MaxCheckpoint > 0 && g.progress.dealt >= int(g.settings.MaxCheckpoint)
	late := !g.storeBy.IsZero() && !now.Before(g.storeBy)
	if late {
		g.storeBy = time.Time{} // the next event dealt with sets it anew
	}
	enough := late && g.progress.dealt >= int(g.settings.MinCheckpoint)
	if low == g.stored || !many && !enough && !last {
		g.mu.Unlock()
		return nil
	}
	d := document{Stream: g.key.Stream, Name: g.key.Name, Settings: g.settings, Next: low}
	dealt := g.progress.dealt
	g.mu.Unlock()
	value, err := d.encode()
	if err != nil {
		return err
	}
	if err := g.deps.Journal.SetState(ctx, g.key.state(), value); err != nil {
		return err
	}
	g.mu.Lock()
	g.stored = low
	g.progress.dealt -= dealt // more may have been dealt with meanwhile
	g.mu.Unlock()
	return nil
}
