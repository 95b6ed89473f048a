package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"waybill/events/node/journal"
)

// The reasons for which a group cannot be made or found.
var (
	ErrExists  = errors.New("the group exists already")
	ErrMissing = errors.New("the group does not exist")
)

// Registry holds the groups of a node.
type Registry struct {
	deps Deps

	mu     sync.Mutex
	groups map[Key]*Group
	closed bool
}

// Open starts the groups that the journal remembers.
func Open(deps Deps) (*Registry, error) {
	r := &Registry{deps: deps, groups: map[Key]*Group{}}
	if err := r.load(); err != nil {
		r.Close()
		return nil, fmt.Errorf("open persistent subscriptions: %w", err)
	}
	return r, nil
}

func (r *Registry) load() error {
	return r.deps.Journal.States(statePrefix, func(name string, value []byte) error {
		d, err := decode(value)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", journal.ErrDamaged, name, err)
		}
		g, err := newGroup(Key{d.Stream, d.Name}, &r.deps, d.Settings, d.Next)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.groups[g.key] = g
		g.start()
		return nil
	})
}

// Close drops all consumers and stores how far their groups came.
func (r *Registry) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.stopAll(ErrStopped)
}

func (r *Registry) stopAll(reason error) {
	var wg sync.WaitGroup
	for _, g := range r.groups {
		wg.Go(func() { g.stop(reason) })
	}
	wg.Wait()
	clear(r.groups)
}

// Restart drops all consumers and starts every group from what is stored.
func (r *Registry) Restart() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrStopped
	}
	r.stopAll(ErrDropped)
	return r.load()
}

// Create makes a group that begins with the event at next, a revision or a position. It gives ErrExists when there is
// one, ErrSettings when the settings cannot work.
func (r *Registry) Create(ctx context.Context, key Key, s Settings, next uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.groups[key]; ok {
		return ErrExists
	}
	return r.put(ctx, key, s, next)
}

// Update changes the settings of a group; it goes on from where it is. Its consumers are dropped.
func (r *Registry) Update(ctx context.Context, key Key, s Settings) error {
	if err := s.validate(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	g, ok := r.groups[key]
	if !ok {
		return ErrMissing
	}
	g.stop(ErrDropped)
	delete(r.groups, key)
	s.Filter, s.Start = g.settings.Filter, g.settings.Start
	next := g.progress.low()
	if err := r.put(ctx, key, s, next); err != nil {
		if old, again := newGroup(key, &r.deps, g.settings, next); again == nil && !r.closed {
			r.groups[key] = old
			old.start()
		}
		return err
	}
	return nil
}

func (r *Registry) put(ctx context.Context, key Key, s Settings, next uint64) error {
	if r.closed {
		return ErrStopped
	}
	if err := s.validate(); err != nil {
		return err
	}
	g, err := newGroup(key, &r.deps, s, next)
	if err != nil {
		return err
	}
	d := document{Stream: key.Stream, Name: key.Name, Settings: s, Next: next}
	value, err := d.encode()
	if err != nil {
		return err
	}
	if err := r.deps.Journal.SetState(ctx, key.state(), value); err != nil {
		return err
	}
	r.groups[key] = g
	g.start()
	return nil
}

// Delete ends a group and lets its parked events go.
func (r *Registry) Delete(ctx context.Context, key Key) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, ok := r.groups[key]
	if !ok {
		return ErrMissing
	}
	g.stop(ErrDropped)
	delete(r.groups, key)
	if err := r.deps.Journal.DropState(ctx, key.state()); err != nil {
		return err
	}
	if head, err := r.deps.Journal.Head(ctx, key.ParkedStream()); err != nil || head.Last < 0 || head.SoftDeleted() {
		return err
	}
	_, err := r.deps.Journal.Delete(ctx, key.ParkedStream(), journal.Any)
	return err
}

// Get gives a group.
func (r *Registry) Get(key Key) (*Group, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if g, ok := r.groups[key]; ok {
		return g, nil
	}
	return nil, ErrMissing
}

// List gives the groups of a stream, or all groups when stream is empty, in the order of their names.
func (r *Registry) List(stream string) []*Group {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*Group
	for key, g := range r.groups {
		if stream == "" || stream == key.Stream {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b *Group) int {
		return strings.Compare(a.key.Stream+"\x00"+a.key.Name, b.key.Stream+"\x00"+b.key.Name)
	})
	return out
}
