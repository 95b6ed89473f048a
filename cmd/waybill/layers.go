package main

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// layer is something long-lived that those above it in a list need: it must keep
// running until they have ended. Run returns nil when ctx ends it.
type layer func(ctx context.Context) error

// runLayers runs layers, the lowest first, under one errgroup. When ctx ends, when
// the top layer returns, or when any fails, they are ended from the top down, each
// only after the one above has returned. The first failure is returned.
func runLayers(ctx context.Context, layers ...layer) error {
	if len(layers) == 0 {
		return nil
	}
	g, failed := errgroup.WithContext(context.WithoutCancel(ctx))
	top := len(layers) - 1
	run := make([]context.Context, len(layers))
	end := make([]context.CancelFunc, len(layers))
	for i := range layers {
		run[i], end[i] = context.WithCancel(context.WithoutCancel(ctx))
		defer end[i]()
	}
	defer context.AfterFunc(ctx, end[top])()
	defer context.AfterFunc(failed, end[top])()
	for i, layer := range layers {
		g.Go(func() error {
			if i > 0 {
				defer end[i-1]()
			}
			err := layer(run[i])
			if i < top && run[i].Err() != nil && errors.Is(err, context.Canceled) {
				return nil // it was told to
			}
			return err
		})
	}
	return g.Wait()
}

// alongside makes one layer of several that need nothing of each other. When one
// fails, all end.
func alongside(runs ...layer) layer {
	return func(ctx context.Context) error {
		g, ctx := errgroup.WithContext(ctx)
		for _, run := range runs {
			g.Go(func() error { return run(ctx) })
		}
		return g.Wait()
	}
}
