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
	g, failed := errgroup.WithContext(context.WithoutCancel(ctx))
	top, endTop := context.WithCancel(context.WithoutCancel(ctx))
	defer endTop()
	defer context.AfterFunc(ctx, endTop)()
	defer context.AfterFunc(failed, endTop)()
	end := func() {}
	for i, run := range layers {
		below := end
		own := top
		if i < len(layers)-1 {
			own, end = context.WithCancel(context.WithoutCancel(ctx))
		}
		g.Go(func() error {
			defer below()
			err := run(own)
			if err != nil && own.Err() != nil && errors.Is(err, context.Canceled) && i < len(layers)-1 {
				return nil
			}
			return err
		})
	}
	return g.Wait()
}

// alongside makes one layer of several that need nothing of each other. When one
// ends, all do.
func alongside(runs ...layer) layer {
	return func(ctx context.Context) error {
		g, ctx := errgroup.WithContext(ctx)
		for _, run := range runs {
			g.Go(func() error { return run(ctx) })
		}
		return g.Wait()
	}
}
