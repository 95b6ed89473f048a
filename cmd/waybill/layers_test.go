package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
)

// diary writes down what happened in which order.
type diary struct {
	mu   sync.Mutex
	done []string
}

func (d *diary) write(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done = append(d.done, what)
}

// waiting is a layer that runs until it is ended.
func (d *diary) waiting(name string, started *sync.WaitGroup) layer {
	started.Add(1)
	return func(ctx context.Context) error {
		started.Done()
		<-ctx.Done()
		d.write(name)
		return ctx.Err()
	}
}

func TestLayersEndFromTheTopDown(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	cases := map[string]struct {
		top  func(ctx context.Context, cancel func()) error
		want error
	}{
		"when the top is done": {func(context.Context, func()) error { return nil }, nil},
		"when the top fails":   {func(context.Context, func()) error { return boom }, boom},
		"when it is told to":   {func(ctx context.Context, cancel func()) error { cancel(); <-ctx.Done(); return nil }, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var d diary
			var started sync.WaitGroup
			low, middle := d.waiting("low", &started), d.waiting("middle", &started)
			err := runLayers(ctx, low, middle, func(ctx context.Context) error {
				started.Wait()
				err := c.top(ctx, cancel)
				d.write("top")
				return err
			})
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if want := []string{"top", "middle", "low"}; !slices.Equal(d.done, want) {
				t.Errorf("ended %v, want %v", d.done, want)
			}
		})
	}
}

func TestALowerLayerThatFailsEndsTheRest(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	var d diary
	var started sync.WaitGroup
	lowest, top := d.waiting("lowest", &started), d.waiting("top", &started)
	err := runLayers(t.Context(), lowest, func(context.Context) error { started.Wait(); return boom }, func(ctx context.Context) error {
		_ = top(ctx)
		return nil
	})
	if !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
	if !slices.Contains(d.done, "lowest") || !slices.Contains(d.done, "top") {
		t.Errorf("ended only %v", d.done)
	}
}
