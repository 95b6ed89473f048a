package projections

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"waybill/events"
	"waybill/events/fault"
)

// ProgressConfig says whose progress to follow.
type ProgressConfig struct {
	// Name is the projection's name. Required.
	Name string

	// Pool connects as waybill_projector or waybill_reader. Run opens one
	// connection of its own beside it. Required.
	Pool *pgxpool.Pool

	// Recheck is how often the position is read from the table although no
	// notification came: a connection that died silently is found so. Defaults
	// to 10 s.
	Recheck time.Duration

	// Poll is how often a waiter looks at the table while the notifications are
	// cut off. Defaults to 50 ms.
	Poll time.Duration

	// Logger defaults to discarding.
	Logger *slog.Logger
}

// Progress knows how far a projection has come and lets queries wait for a
// position. It may serve any number of waiters on one connection.
type Progress struct {
	cfg ProgressConfig

	mu        sync.Mutex
	position  events.Position
	listening bool
	changed   chan struct{} // closed and replaced when position or listening changes
}

// NewProgress returns the progress of one projection; it does no I/O. While
// [Progress.Run] runs, waiters are woken by notifications; without it they poll.
func NewProgress(cfg ProgressConfig) *Progress {
	if cfg.Recheck <= 0 {
		cfg.Recheck = 10 * time.Second
	}
	if cfg.Poll <= 0 {
		cfg.Poll = 50 * time.Millisecond
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Progress{cfg: cfg, changed: make(chan struct{})}
}

// Position returns the position that is committed now.
func (p *Progress) Position(ctx context.Context) (events.Position, error) {
	pos, err := readPosition(ctx, p.cfg.Pool, p.cfg.Name)
	if err != nil {
		return events.Position{}, fault.Wrap(err, fault.Unavailable, "read-model-unavailable",
			"The position of the read model cannot be read.")
	}
	return pos, nil
}

// Wait returns nil once everything up to want is in the read model. When ctx
// ends first, the error is of kind fault.Unavailable, says how far the read model
// is, and wraps the context's error.
func (p *Progress) Wait(ctx context.Context, want events.Position) error {
	for {
		p.mu.Lock()
		have, listening, changed := p.position, p.listening, p.changed
		p.mu.Unlock()
		var poll <-chan time.Time
		known := listening
		if !listening {
			pos, err := readPosition(ctx, p.cfg.Pool, p.cfg.Name)
			if err == nil {
				have = pos
				p.polled(pos)
			}
			known = err == nil
			poll = time.After(p.cfg.Poll)
		}
		if known && !want.After(have) {
			return nil
		}
		select {
		case <-changed:
		case <-poll:
		case <-ctx.Done():
			return fault.Wrap(ctx.Err(), fault.Unavailable, "read-model-behind",
				"The read model has reached position %s, not yet %s. Ask again in a moment.", have, want)
		}
	}
}

// Run follows the notifications until ctx ends, which is no error; it connects
// again by itself.
func (p *Progress) Run(ctx context.Context) error {
	const least, most = 100 * time.Millisecond, 5 * time.Second
	pause := least
	for ctx.Err() == nil {
		err := p.listen(ctx, func() { pause = least })
		p.cutOff()
		if ctx.Err() != nil {
			break
		}
		p.cfg.Logger.Warn("notifications of the read model's progress are cut off, waiters poll",
			"projection", p.cfg.Name, "error", err, "again_in", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, most)
	}
	return nil
}

// listen serves one connection until it fails.
func (p *Progress) listen(ctx context.Context, connected func()) error {
	cfg := p.cfg.Pool.Config().ConnConfig
	cfg.RuntimeParams["application_name"] = "waybill_progress"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `LISTEN `+checkpointChannel); err != nil {
		return err
	}
	for {
		pos, err := readPosition(ctx, conn, p.cfg.Name)
		if err != nil {
			return err
		}
		p.set(pos, true)
		connected()
		if err := p.notifications(ctx, conn); err != nil {
			return err
		}
	}
}

// notifications takes them in until none came for the time of Recheck.
func (p *Progress) notifications(ctx context.Context, conn *pgx.Conn) error {
	for {
		quiet, cancel := context.WithTimeout(ctx, p.cfg.Recheck)
		n, err := conn.WaitForNotification(quiet)
		cancel()
		if err != nil {
			if ctx.Err() == nil && quiet.Err() != nil && !conn.IsClosed() {
				return nil
			}
			return err
		}
		name, at, _ := strings.Cut(n.Payload, " ")
		if name != p.cfg.Name {
			continue
		}
		pos, err := events.ParsePosition(at)
		if err != nil {
			return fmt.Errorf("notification of %s: %w", name, err)
		}
		p.set(pos, true)
	}
}

// set takes positions as they come, also lower ones: a rebuild starts over.
func (p *Progress) set(pos events.Position, listening bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.position == pos && p.listening == listening {
		return
	}
	p.position, p.listening = pos, listening
	close(p.changed)
	p.changed = make(chan struct{})
}

// cutOff makes waiters poll.
func (p *Progress) cutOff() {
	p.mu.Lock()
	pos := p.position
	p.mu.Unlock()
	p.set(pos, false)
}

// polled keeps what a waiter has read, for the message of the next one.
func (p *Progress) polled(pos events.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.listening {
		p.position = pos
	}
}

func readPosition(ctx context.Context, db interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}, name string) (events.Position, error) {
	var pos events.Position
	err := db.QueryRow(ctx, `
		SELECT coalesce(max(commit_position), 0), coalesce(max(prepare_position), 0)
		FROM ops.projections
		WHERE name = $1`, name).Scan(&pos.Commit, &pos.Prepare)
	return pos, err
}
